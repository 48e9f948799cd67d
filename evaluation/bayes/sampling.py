"""Sample a compiled model, and let nothing out that has not converged.

Models are PyMC, compiled by nutpie through numba: no C compiler is needed. With one seed the draws
are the same to the last bit in every process and for any number of cores of the same machine.

The gate: rank-normalised split R-hat at most 1.01, bulk and tail effective sample sizes of at least
100 for each chain, and no divergent transition. A posterior that fails is refused, never reported.

Reference: Vehtari, Gelman, Simpson, Carpenter & Buerkner (2021), Rank-normalization, folding, and
localization: an improved R-hat, Bayesian Analysis 16(2), 667-718, sections 4 and 5.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import nutpie
from arviz_stats.base.array import array_stats

from evaluation.bayes.posterior import Convergence, Sampling
from evaluation.estimate import EstimatorRefused
from evaluation.sample import Floats

diagnostics: Any = array_stats  # arviz states no types for its functions of arrays
R_HAT = 1.01
ESS_PER_CHAIN = 100
TARGET_ACCEPT = 0.95


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Posterior:
    """`values[name]` is (chains, draws, ...); `divergences` counts divergent transitions after tuning."""

    values: Mapping[str, Floats]
    divergences: int


def sample_posterior(
    compiled: Any, data: Mapping[str, Any], sampling: Sampling, rng: np.random.Generator
) -> Posterior:
    """Draws of every named quantity of the model, with `data` put in its data containers."""
    trace = nutpie.sample(
        compiled.with_data(**data),
        draws=sampling.draws,
        tune=sampling.tune,
        chains=sampling.chains,
        cores=min(sampling.chains, os.process_cpu_count() or 1),
        seed=int(rng.integers(2**31 - 1)),
        save_warmup=False,
        progress_bar=False,
        target_accept=TARGET_ACCEPT,
    )
    values = {
        str(name): np.asarray(array.values, dtype=np.float64)
        for name, array in trace["posterior"].data_vars.items()
    }
    return Posterior(values=values, divergences=int(np.sum(trace["sample_stats"]["diverging"].values)))


def check_convergence(posterior: Posterior, effect: Floats, sampling: Sampling) -> Convergence:
    """The worst R-hat and effective sizes over all quantities; refuses what has not converged.

    `effect` is (chains, draws), on the line (logs for ratios); it is held to the gate like the rest.
    """
    worst = Convergence(
        r_hat=_worst(posterior, effect, "r_hat"),
        ess_bulk=_worst(posterior, effect, "bulk"),
        ess_tail=_worst(posterior, effect, "tail"),
        divergences=posterior.divergences,
        monte_carlo_error=float(diagnostics.mcse(effect, chain_axis=0, draw_axis=1, method="mean")),
    )
    least = ESS_PER_CHAIN * sampling.chains
    failures = [
        text
        for failed, text in (
            (not worst.r_hat <= R_HAT, f"R-hat {worst.r_hat:.3f} above {R_HAT}"),
            (not worst.ess_bulk >= least, f"bulk effective sample size {worst.ess_bulk:.0f} below {least}"),
            (not worst.ess_tail >= least, f"tail effective sample size {worst.ess_tail:.0f} below {least}"),
            (worst.divergences > 0, f"{worst.divergences} divergent transitions"),
        )
        if failed
    ]
    if failures:
        raise EstimatorRefused(
            where="the sampler",
            found="; ".join(failures),
            expected=f"R-hat at most {R_HAT}, effective sample sizes of at least {least}, no divergences",
            remedy="Raise `tune` and `draws`; if it stays, the data say too little for these priors: "
            "use tighter ones (by a dated amendment) or a non-Bayesian estimator of the same effect.",
        )
    return worst


def _worst(posterior: Posterior, effect: Floats, what: str) -> float:
    """The least favourable value of one diagnostic; quantities that never vary are left out."""
    found = []
    for draws in (*posterior.values.values(), effect):
        flat = draws.reshape(*draws.shape[:2], -1)
        flat = flat[:, :, np.ptp(flat, axis=(0, 1)) > 0]
        if flat.shape[2] == 0:
            continue
        axes = {"chain_axis": 0, "draw_axis": 1}
        if what == "r_hat":
            found.append(np.max(diagnostics.rhat(flat, **axes)))
        elif what == "bulk":
            found.append(np.min(diagnostics.ess(flat, method="bulk", **axes)))
        else:
            found.append(np.min(diagnostics.ess(flat, method="tail", prob=(0.05, 0.95), **axes)))
    if not found:
        return float("nan")
    return float(np.max(found) if what == "r_hat" else np.min(found))
