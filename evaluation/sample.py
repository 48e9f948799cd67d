"""The rows that an analysis uses, as arrays, with the design that put people into arms."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from experiments.design import Design
from experiments.outcome import Kind

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sample:
    """One contrast of two arms, one outcome, n rows; every array is (n,) unless said.

    `outcome` is in `unit`; NaN where it is missing (estimators are given complete rows unless they
    say that they handle missing ones). For `time` outcomes it is the duration, and `event` says
    whether it ended in the event; for `recurrent` ones each row is an interval (`entry`, `outcome`].
    `arm` is 0 for the reference and 1 for the arm whose effect is asked; `arms` are their names in
    that order. `exposure` is time at risk or population, above zero. `covariates` is (n, k), centred
    by nobody. `received` is the treatment actually taken, 0/1 or a dose. `person` numbers the people
    (a row each, save for recurrent events and periods).

    `better` says which way is better, and `smallest_worthwhile` the declared smallest effect that would
    change a decision, on the estimand's scale; None where the outcome declares none on that scale.

    `group` codes the subgroups that the analysis names, as positions in `group_names`.

    `roster` is the whole roster that `design` drew, all arms, one row per unit drawn over, and
    `roster_row` the position in it of each of the n rows, so that a re-draw can be carried to them.
    `roster_arm` is the arm that every row of the roster was in, as a position in `design.names`.
    """

    outcome: Floats
    arm: Ints
    arms: tuple[str, str]
    unit: str
    kind: Kind
    person: Ints
    event: Bools | None = None
    entry: Floats | None = None
    exposure: Floats | None = None
    baseline: Floats | None = None
    block: Ints | None = None
    cluster: Ints | None = None
    period: Ints | None = None
    weight: Floats | None = None
    received: Floats | None = None
    covariates: Floats | None = None
    covariate_names: tuple[str, ...] = ()
    group: Ints | None = None
    group_names: tuple[str, ...] = ()
    better: Literal["lower", "higher"] | None = None
    smallest_worthwhile: float | None = None
    design: Design | None = None
    roster: pd.DataFrame | None = None
    roster_row: Ints | None = None
    roster_arm: Ints | None = None

    @property
    def treated(self) -> Bools:
        """(n,) True in the arm whose effect is asked."""
        return np.asarray(self.arm == 1, dtype=np.bool_)

    @property
    def observed(self) -> Bools:
        """(n,) True where the outcome was measured."""
        return np.logical_not(np.isnan(self.outcome))

    @property
    def people(self) -> int:
        """How many different people (or places) the rows belong to."""
        return len(np.unique(self.person))

    @property
    def clusters(self) -> int | None:
        """How many clusters, where the design has them."""
        return None if self.cluster is None else len(np.unique(self.cluster))

    def keep(self, rows: Bools | Ints) -> Sample:
        """The same sample with only these rows."""
        changes = {
            name: value[rows]
            for name in (
                "outcome",
                "arm",
                "person",
                "event",
                "entry",
                "exposure",
                "baseline",
                "block",
                "cluster",
                "period",
                "weight",
                "received",
                "covariates",
                "group",
                "roster_row",
            )
            if (value := getattr(self, name)) is not None
        }
        return replace(self, **changes)
