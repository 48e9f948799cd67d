"""The trial of 30 schools of `mean_clustered`, its effect in total standard deviations within an arm."""

from __future__ import annotations

import numpy as np

from evaluation.sample import Sample
from plugin_worlds import mean_clustered


def make(rng: np.random.Generator) -> tuple[Sample, dict[str, float]]:
    sample, truth = mean_clustered.make(rng)
    return sample, {"standardised_mean_difference": truth["mean_difference"] / float(np.sqrt(1.0 + 3.0**2))}
