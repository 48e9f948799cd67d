"""Effects in a two-stage trial: a case by hand, their sum, coverage, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from data_contracts.catalogue import find
from data_contracts.declared import build
from evaluation.estimate import Estimate, EstimatorRefused
from evaluation.sample import Sample
from experiments.estimand import Estimand
from plugin_worlds import two_stage_spillover

ASKED = Estimand(
    outcome="y", contrast=("mentoring", "usual"), population="all", scale="mean_difference", intercurrent={}
)
TRUTH = {"direct": -1.5, "spill_over": -1.2, "total": -2.7, "overall": -2.1}


def answer(sample: Sample, effect: str, weigh: str = "clusters", **changes: Any) -> Estimate:
    options = {
        "effect": effect,
        "saturation": "saturation",
        "at": "high",
        "against": None if effect == "direct" else "none",
        "weigh": weigh,
        "level": 0.95,
    } | changes
    estimator = build(find("evaluation.estimators", "spillover_effect"), options, path="spill")
    found: Estimate = estimator(sample, ASKED, np.random.default_rng(0))
    return found


def four_clusters() -> Sample:
    """High: (usual 1, 3; mentoring 4) and (usual 5; mentoring 6, 8, 10). None: usual 2, 4 and usual 8."""
    outcome = np.array([1.0, 3, 4, 5, 6, 8, 10, 2, 4, 8])
    cluster = np.array([0, 0, 0, 1, 1, 1, 1, 2, 2, 3])
    arm = np.array([0, 0, 1, 0, 1, 1, 1, 0, 0, 0])
    saturation = np.array(["high", "high", "none", "none"])[cluster]
    return Sample(
        outcome=outcome,
        arm=arm,
        arms=("usual", "mentoring"),
        unit="points",
        kind="mean",
        person=np.arange(10),
        cluster=cluster,
        roster=pd.DataFrame({"saturation": saturation}),
        roster_row=np.arange(10),
    )


def test_the_four_effects_by_hand() -> None:
    """Usual means 2 and 5 at high, 3 and 8 at none; mentoring 4 and 8; everybody 8/3 and 29/4, 3 and 8."""
    sample = four_clusters()
    assert answer(sample, "direct").value == pytest.approx((2 + 3) / 2)
    assert answer(sample, "spill_over").value == pytest.approx(3.5 - 5.5)
    assert answer(sample, "total").value == pytest.approx(6 - 5.5)
    assert answer(sample, "overall").value == pytest.approx((8 / 3 + 29 / 4) / 2 - 5.5)
    found = answer(sample, "spill_over")
    assert found.standard_error == pytest.approx(np.sqrt(4.5 / 2 + 12.5 / 2))
    welch = (2.25 + 6.25) ** 2 / (2.25**2 + 6.25**2)
    assert found.df == pytest.approx(welch)
    assert (found.clusters_used, found.units_used) == (4, 6)


def test_weights_of_people_by_hand() -> None:
    """Clusters of 3, 4, 2 and 1 people."""
    sample = four_clusters()
    found = answer(sample, "spill_over", "people")
    assert found.value == pytest.approx((3 * 2 + 4 * 5) / 7 - (2 * 3 + 1 * 8) / 3)
    upper = 2 * ((3 / 7 * (2 - 26 / 7)) ** 2 + (4 / 7 * (5 - 26 / 7)) ** 2)
    lower = 2 * ((2 / 3 * (3 - 14 / 3)) ** 2 + (1 / 3 * (8 - 14 / 3)) ** 2)
    assert found.standard_error == pytest.approx(np.sqrt(upper + lower))


@pytest.mark.parametrize("weigh", ["clusters", "people"])
def test_total_is_direct_and_spill_over(weigh: str) -> None:
    sample, _ = two_stage_spillover.make(np.random.default_rng(1))
    total, direct, spill = (answer(sample, e, weigh).value for e in ("total", "direct", "spill_over"))
    assert total == pytest.approx(direct + spill)


def test_every_effect_is_covered_over_both_stages_of_the_draw() -> None:
    """300 trials; no bias beyond 4 Monte Carlo errors, coverage no more than 4 below 0.95."""
    rng = np.random.default_rng(2)
    values: dict[str, list[float]] = {effect: [] for effect in TRUTH}
    covered = dict.fromkeys(TRUTH, 0)
    for _ in range(300):
        sample, _ = two_stage_spillover.make(rng)
        rows = {(r["effect"], r["at"]): r for r in answer(sample, "spill_over").extra["effects"]}
        for effect, truth in TRUTH.items():
            row = rows[effect, "high"]
            values[effect].append(row["value"])
            covered[effect] += row["low"] <= truth <= row["high"]
    for effect, truth in TRUTH.items():
        error = np.std(values[effect]) / np.sqrt(300)
        assert abs(np.mean(values[effect]) - truth) < 4 * error, effect
        assert covered[effect] / 300 >= 0.95 - 4 * np.sqrt(0.95 * 0.05 / 300), effect
        assert covered[effect] / 300 <= 0.99, effect


def test_a_plain_difference_between_arms_misses_the_total() -> None:
    """What spill-over costs an analysis that ignores it: controls near the treated were helped too."""
    sample, _ = two_stage_spillover.make(np.random.default_rng(3))
    high = sample.keep(sample.roster["saturation"].to_numpy() == "high")  # type: ignore[index]
    plain = high.outcome[high.arm == 1].mean() - high.outcome[high.arm == 0].mean()
    assert plain > TRUTH["total"] + 0.5


def test_the_effect_must_be_one_that_the_saturations_can_tell() -> None:
    sample, _ = two_stage_spillover.make(np.random.default_rng(4))
    with pytest.raises(EstimatorRefused, match="two or more"):
        answer(sample, "direct", at="none")
    with pytest.raises(EstimatorRefused, match="'full'"):
        answer(sample, "spill_over", at="full")
    with pytest.raises(EstimatorRefused, match="another saturation"):
        answer(sample, "spill_over", against=None)
    with pytest.raises(EstimatorRefused, match="Did you mean 'saturation'"):
        answer(sample, "spill_over", saturation="saturations")
    assert sample.roster is not None
    mixed = sample.roster.assign(saturation=np.where(np.arange(800) % 2, "high", "none"))
    with pytest.raises(EstimatorRefused, match="40 clusters with more than one"):
        answer(replace(sample, roster=mixed), "spill_over")
    unknown = sample.roster.assign(saturation="most")
    with pytest.raises(EstimatorRefused, match="800 rows"):
        answer(replace(sample, roster=unknown), "spill_over")
