"""The choices of a multiple imputation, as a study writes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from evaluation.estimate import EstimatorRefused


@dataclass(frozen=True, slots=True, kw_only=True)
class Imputation:
    """`imputations` completed data sets, each the end of its own chain of `iterations` cycles.

    The model of each variable holds the analysis's covariates, the outcome's baseline measure and
    the roster's `auxiliary` columns, separately by arm; clusters (or, without clusters, blocks) have
    random intercepts. `scores` says how a continuous outcome is drawn: `normal` from the model, or
    from the `donors` people with the nearest predictions. Counts always come from donors, with the
    donor's time at risk; binary outcomes from a probit model.
    """

    imputations: int
    iterations: int
    auxiliary: tuple[str, ...]
    scores: Literal["normal", "donors"]
    donors: int

    def __post_init__(self) -> None:
        for name, least in (("imputations", 5), ("iterations", 5), ("donors", 1)):
            if getattr(self, name) < least:
                raise EstimatorRefused(
                    where=name,
                    found=str(getattr(self, name)),
                    expected=f"at least {least}",
                    remedy="Ask for at least as many imputations as the percentage of incomplete people, "
                    "ten or more iterations, and five or ten donors.",
                )
