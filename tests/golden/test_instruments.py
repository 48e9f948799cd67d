"""Two instruments, weights and absorbed areas against estimatr; Anderson-Rubin ends against its tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from evaluation.inference.anderson_rubin import confidence_set, reduced_form
from evaluation.inference.robust import robust
from evaluation.inference.two_stage import (
    Instrumented,
    endogeneity,
    over_identification,
    two_stage,
    weak_instruments,
)

HERE = Path(__file__).parent
EXPECTED = json.loads((HERE / "instruments.json").read_text())["expected"]
# Same formulas, same data; roots were found to 1e-12 there and here.
VALUE, DF, ROOT = 1e-8, 1e-6, 1e-8


def problem(
    instruments: list[str], *, clustered: bool, weighted: bool = False, absorbed: bool = False
) -> Instrumented:
    data = pd.read_csv(HERE / "instruments.csv")
    x = data[["x"]].to_numpy()
    return Instrumented(
        outcome=data["y"].to_numpy(),
        endogenous=data[["taken"]].to_numpy(float),
        exogenous=x if absorbed else np.column_stack([np.ones(len(data)), x]),
        instruments=data[instruments].to_numpy(float),
        weight=data["w"].to_numpy() if weighted else None,
        absorb=data["area"].to_numpy() if absorbed else None,
        cluster=data["school"].to_numpy() if clustered else None,
    )


@pytest.mark.parametrize("key", EXPECTED["fits"])
def test_two_instruments(key: str) -> None:
    named, *rest = key.split()
    kind: Any = {"stata": "CR1S"}.get(named, named)
    expected = EXPECTED["fits"][key]
    asked = problem(
        ["offer", "visit"],
        clustered=kind.startswith("CR"),
        weighted="weighted" in rest,
        absorbed="absorbed" in rest,
    )
    regression = two_stage(asked)
    assert_allclose(regression.coefficients[0], expected["estimate"], rtol=VALUE)
    if kind == "classical":
        assert_allclose(regression.classical[0, 0] ** 0.5, expected["se"], rtol=VALUE)
    else:
        found = robust(regression, kind, asked.cluster, 0)
        assert_allclose([found.variance**0.5, found.df], [expected["se"], expected["df"]], rtol=DF)
    if rest:
        return
    kind = None if kind == "classical" else kind
    weak, endogenous = weak_instruments(asked, kind), endogeneity(asked, kind)
    agree = over_identification(asked, regression, kind)
    assert agree is not None
    assert_allclose([weak.statistic, weak.df, weak.denominator_df, weak.p_value], expected["weak"], rtol=DF)
    assert_allclose(
        [endogenous.statistic, endogenous.df, endogenous.denominator_df, endogenous.p_value],
        expected["endogeneity"],
        rtol=DF,
    )
    assert_allclose([agree.statistic, agree.df, agree.p_value], expected["overid"], rtol=DF)


@pytest.mark.parametrize(
    ("instruments", "key"), [(["offer"], "anderson_rubin"), (["offer", "visit"], "anderson_rubin_two")]
)
def test_anderson_rubin_ends(instruments: list[str], key: str) -> None:
    found = confidence_set(reduced_form(problem(instruments, clustered=False), "HC2"), 0.95)
    assert found.shape == "interval"
    assert_allclose(found.pieces[0], EXPECTED[key], rtol=ROOT)


def test_linearmodels_has_the_same_point() -> None:
    from linearmodels.iv import IV2SLS

    asked = problem(["offer", "visit"], clustered=False)
    theirs = IV2SLS(asked.outcome, asked.exogenous, asked.endogenous, asked.instruments).fit(
        cov_type="robust"
    )
    regression = two_stage(asked)
    assert_allclose(regression.coefficients[0], theirs.params.iloc[-1], rtol=1e-10)
    error = robust(regression, "HC0", None, 0).variance ** 0.5
    assert_allclose(error, theirs.std_errors.iloc[-1], rtol=1e-10)
