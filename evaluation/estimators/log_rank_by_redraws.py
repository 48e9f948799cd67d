"""Log-rank test by drawing the design again, beside the hazard ratio: for times with few clusters or people.

The statistic is the difference between arms in mean log-rank score (`evaluation/inference/log_rank.py`),
over its standard error between the units that were drawn; its place among the re-draws is an exact
test that treatment changed nobody's time, whatever the hazards do. Assumes that treatment did not
decide who was censored, or when.

The value is the hazard ratio of Cox's regression on the arm alone, free by block. It comes without an
interval: with censored times no single shift or factor can be tried on each person and drawn again.
Give the interval by `proportional_hazards` (CR3 with clusters) or `restricted_mean_survival`.

References: Peto & Peto (1972), JRSS A 135(2), 185-207; Rosenberger & Lachin (2016), Randomization in
Clinical Trials, 2nd edition, section 6.8 (linear rank tests by re-randomisation); Cox (1972).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import sqrt
from typing import ClassVar, Literal

import numpy as np

from evaluation.estimate import Estimate, EstimatorRefused
from evaluation.inference.cox import fit, risk_sets
from evaluation.inference.log_rank import log_rank_scores
from evaluation.inference.randomisation_test import redraw_test
from evaluation.inference.redraw_histogram import histogram
from evaluation.inference.row_weights import rows_with_weight
from evaluation.inference.survival import time_rows
from evaluation.sample import Sample
from experiments.estimand import Estimand


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRankByRedraws:
    """`redraws` of the design, or all of its draws where there are no more; `ties` is for the hazard ratio."""

    redraws: int
    ties: Literal["efron", "breslow"]

    designs: ClassVar[frozenset[str]] = frozenset(
        {
            "simple",
            "complete",
            "blocked",
            "clustered",
            "blocked_clusters",
            "matched_pairs",
            "multi_site",
            "wait_list",
            "encouragement",
            "rerandomised",
            "minimised",
            "sequential_blocks",
            "factorial",
        }
    )
    kinds: ClassVar[frozenset[str]] = frozenset({"time"})
    scales: ClassVar[frozenset[str]] = frozenset({"hazard_ratio"})
    needs: ClassVar[frozenset[str]] = frozenset({"event"})

    def __post_init__(self) -> None:
        if self.redraws < 99:
            raise EstimatorRefused(
                where="redraws",
                found=str(self.redraws),
                expected="at least 99",
                remedy="Ask for some thousands: 9999 keep the Monte Carlo error small.",
            )

    def __call__(self, sample: Sample, estimand: Estimand, rng: np.random.Generator) -> Estimate:
        """The hazard ratio, and the p-value of no effect on anybody."""
        sample = rows_with_weight(sample)
        time, event, _ = time_rows(sample)
        if sample.entry is not None:
            raise EstimatorRefused(
                where="entry",
                found="people who came under observation late",
                expected="times from a common start",
                remedy="Use `proportional_hazards`, which allows late entry.",
            )
        for code, name in enumerate(sample.arms):
            if not (event & (sample.arm == code)).any():
                raise EstimatorRefused(
                    where=f"arms.{name}",
                    found="no events",
                    expected="at least one event in each arm",
                    remedy="Ask for the risk difference with `randomisation_test`; its test is defined.",
                )
        at = risk_sets(time, event, ties=self.ties, strata=sample.block, weight=sample.weight)
        cox = fit(sample.treated[:, None].astype(np.float64), at, ties=self.ties)
        scores = log_rank_scores(time, event, sample.block)
        result = redraw_test(
            replace(sample, outcome=scores, kind="mean", event=None, exposure=None),
            statistic="studentised",
            redraws=self.redraws,
            level=0.95,
            rng=rng,
        )
        drawn = len(result.redrawn)
        return Estimate(
            estimand="",
            estimator="log_rank_by_redraws",
            scale=estimand.scale,
            value=float(np.exp(cox.coefficient[0])),
            standard_error=None,
            interval=None,
            p_value=result.p,
            unit="ratio of hazards",
            units_used=sample.people,
            clusters_used=sample.clusters,
            extra={
                "statistic": "log-rank, studentised",
                "variance": result.variance,
                "null": "sharp",
                "exact": result.exact,
                "redraws": drawn,
                "undefined": result.undefined,
                "conditional": result.conditional,
                "observed": result.observed,
                "monte_carlo_error": 0.0 if result.exact else sqrt(result.p * (1 - result.p) / drawn),
                "assumes": "Treatment did not decide who was censored, or when.",
                "no_interval": "Censored times cannot be shifted person by person and drawn again: take the "
                "interval from `proportional_hazards`.",
                "histogram": histogram(result),
            },
        )
