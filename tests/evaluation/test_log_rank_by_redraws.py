"""The log-rank test by re-draws: every assignment by hand, its level with ten clusters, and refusals."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import pytest

from evaluation.estimate import Estimate, EstimatorRefused
from evaluation.estimators.log_rank_by_redraws import LogRankByRedraws
from evaluation.inference.log_rank import log_rank_scores
from evaluation.sample import Sample
from experiments.designs.clustered import Clustered
from experiments.designs.complete import Complete
from experiments.estimand import Estimand
from redrawn_trials import HALVES, drawn_sample


def ask(sample: Sample, redraws: int = 199, seed: int = 0) -> Estimate:
    estimand = Estimand(
        outcome="y", contrast=("treated", "control"), population="all", scale="hazard_ratio", intercurrent={}
    )
    return LogRankByRedraws(redraws=redraws, ties="efron")(sample, estimand, np.random.default_rng(seed))


def times(design: Any, roster: pd.DataFrame, codes: Any, weeks: Any, end: Any) -> Sample:
    return drawn_sample(
        design, roster, codes, np.minimum(weeks, end), kind="time", event=np.asarray(weeks <= end)
    )


def test_p_is_the_share_of_assignments_with_as_large_a_statistic() -> None:
    rng = np.random.default_rng(5)
    codes = np.tile([0, 1], 5)
    sample = times(
        Complete(arms=HALVES),
        pd.DataFrame(index=range(10)),
        codes,
        rng.exponential(5, 10) + 4 * codes,
        np.full(10, 8),
    )
    scores = log_rank_scores(sample.outcome, sample.event)  # type: ignore[arg-type]

    def t(z: Any) -> float:
        s1, s0 = scores[z], scores[~z]
        return float(abs(s1.mean() - s0.mean()) / np.sqrt(s1.var(ddof=1) / 5 + s0.var(ddof=1) / 5))

    every = [np.isin(np.arange(10), chosen) for chosen in combinations(range(10), 5)]
    expected = np.mean([t(z) >= t(codes == 1) - 1e-9 for z in every])
    found = ask(sample, redraws=252)
    assert found.extra["exact"] and found.p_value == pytest.approx(expected)
    assert found.interval is None and "proportional_hazards" in found.extra["no_interval"]


def clustered(rng: np.random.Generator, ratio: float) -> Sample:
    school = np.repeat(np.arange(10), rng.integers(6, 20, 10))
    roster = pd.DataFrame({"school": school})
    design = Clustered(arms=HALVES, cluster="school")
    codes = design.draw_many(roster, 1, rng)[0]
    hazard = np.exp(0.4 * rng.normal(size=10))[school] * ratio**codes / 30
    return times(design, roster, codes, rng.exponential(1 / hazard), rng.uniform(15, 52, len(school)))


def test_the_level_holds_with_ten_clusters_and_a_large_effect_is_seen() -> None:
    runs, rng = 200, np.random.default_rng(11)
    rejected = np.mean([ask(clustered(rng, 1.0)).p_value <= 0.05 for _ in range(runs)])  # type: ignore[operator]
    assert rejected <= 0.05 + 3.5 * np.sqrt(0.05 * 0.95 / runs)
    seen = np.mean([ask(clustered(rng, 0.2)).p_value <= 0.05 for _ in range(30)])  # type: ignore[operator]
    assert seen > 0.6


def test_late_entry_and_an_arm_without_events_are_refused() -> None:
    sample = clustered(np.random.default_rng(1), 1.0)
    with pytest.raises(EstimatorRefused, match="common start"):
        ask(replace(sample, entry=np.zeros(len(sample.outcome))))
    with pytest.raises(EstimatorRefused, match="no events"):
        ask(replace(sample, event=np.asarray(sample.event & (sample.arm == 0))))
