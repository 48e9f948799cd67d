"""Every number of the estimatr suite (estimatr 1.0.4): regressions, instruments, differences, weights."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from evaluation.estimate import Estimate
from evaluation.estimators.adjusted_difference import AdjustedDifference, interacted
from evaluation.estimators.analysis_of_covariance import AnalysisOfCovariance
from evaluation.estimators.complier_average import ComplierAverage
from evaluation.estimators.difference_in_means import DifferenceInMeans
from evaluation.estimators.horvitz_thompson import HorvitzThompson
from evaluation.inference.heteroskedastic import row_covariance
from evaluation.inference.inverse_probability import horvitz_thompson, young_variance
from evaluation.inference.least_squares import Fit, fit, indicators, project
from evaluation.inference.robust import robust
from evaluation.inference.student import interval, p_value
from evaluation.inference.two_stage import Instrumented, endogeneity, two_stage, weak_instruments
from evaluation.sample import Sample
from experiments.design import NamedArm
from experiments.designs.simple import Simple
from experiments.estimand import Estimand

# Same formulas, same data: only the order of floating-point sums differs.
VALUE, ERROR, DF = 1e-9, 1e-8, 1e-6
NAMES = {"stata": "CR1S"}
HALF = (NamedArm(name="usual", share=Fraction(1, 2)), NamedArm(name="offered", share=Fraction(1, 2)))
ASK = Estimand(
    outcome="y",
    contrast=("offered", "usual"),
    population="everyone",
    scale="mean_difference",
    intercurrent={},
)

REGRESSIONS = [
    f"lm_robust|y~z+x|{w}{kind}" for kind in ("classical", "HC0", "HC1", "HC2", "HC3") for w in ("", "w|")
] + [
    f"lm_robust|{middle}|{kind}"
    for kind in ("CR0", "stata", "CR2")
    for middle in ("y~z_cl+x|cl", "y~z_cl+x|cl,w", "y~z+x|fe=bl|cl")
]
REGRESSIONS += [f"lm_robust|y~z+x|fe=bl|{kind}" for kind in ("HC0", "HC1", "HC2", "HC3")]
LIN = ["lm_lin|y~z|~x|HC2", "lm_lin|y~z_cl|~x|cl|CR2", "lm_lin|y~z|~x+factor(bl)|HC2"]
INSTRUMENTS = [f"iv_robust|y~d+x|z+x|{kind}" for kind in ("classical", "HC0", "HC1", "HC2")]
INSTRUMENTS += [f"iv_robust|y~d+x|z+x|cl|{kind}" for kind in ("CR0", "stata", "CR2")]
DIFFERENCES = [
    "dim|y~z",
    "dim|y~z|blocks",
    "dim|y~z_cl|clusters",
    "dim|y~z_cl|blocks,clusters",
    "dim|y~z|weights",
    "dim|matched_pair",
]
HORVITZ_THOMPSON = ["horvitz_thompson|simple p=.5", "horvitz_thompson|clusters"]


@pytest.fixture(scope="module")
def case(golden: Any) -> Any:
    return golden("estimatr_suite")


@pytest.fixture(scope="module")
def data(case: Any) -> pd.DataFrame:
    return pd.read_csv(case.folder / "data.csv")


def sample(data: pd.DataFrame, arm: str, **more: Any) -> Sample:
    return Sample(
        outcome=data["y"].to_numpy(float),
        arm=data[arm].to_numpy(np.int64),
        arms=("usual", "offered"),
        unit="points",
        kind="mean",
        person=np.arange(len(data)),
        **more,
    )


def agrees(regression: Fit, kind: str, cluster: Any, expected: dict[str, Any], order: list[int]) -> None:
    """Each coefficient's value, SE, t, p, interval and df; `order` maps ours to the referee's."""
    for at, theirs in enumerate(order):
        if kind == "classical":
            variance, df = float(regression.classical[at, at]), float(regression.projection.residual_df)
        else:
            found = robust(regression, NAMES.get(kind, kind), cluster, at)  # type: ignore[arg-type]
            variance, df = found.variance, found.df
        value, error = float(regression.coefficients[at]), variance**0.5
        limits = interval(value, error, df, 0.95)
        told = {key: np.atleast_1d(v)[theirs] for key, v in expected.items()}
        assert_allclose(value, told["estimate"], rtol=VALUE)
        assert_allclose(error, told["std.error"], rtol=ERROR)
        assert_allclose(df, told["df"], rtol=DF)
        assert_allclose(value / error, told["statistic"], rtol=ERROR)
        assert_allclose(p_value(value, error, df), told["p.value"], rtol=DF)
        assert_allclose([limits.low, limits.high], [told["conf.low"], told["conf.high"]], rtol=DF)


def told(estimate: Estimate, expected: dict[str, Any], at: int | None = None) -> None:
    theirs = {key: v if at is None else v[at] for key, v in expected.items()}
    assert estimate.interval is not None
    assert_allclose(estimate.value, theirs["estimate"], rtol=VALUE)
    assert_allclose(estimate.standard_error, theirs["std.error"], rtol=ERROR)
    assert_allclose(estimate.p_value, theirs["p.value"], rtol=DF)
    assert_allclose(
        [estimate.interval.low, estimate.interval.high], [theirs["conf.low"], theirs["conf.high"]], rtol=DF
    )
    if theirs["df"] is None:
        assert estimate.df is None
    else:
        assert_allclose(estimate.df, theirs["df"], rtol=DF)


@pytest.mark.parametrize("key", REGRESSIONS)
def test_regressions(key: str, case: Any, data: pd.DataFrame) -> None:
    _, formula, *middle, kind = key.split("|")
    weighted = any("w" in part.split(",") for part in middle)
    absorbed = "fe=bl" in middle
    columns = [data["z_cl" if "z_cl" in formula else "z"].to_numpy(float), data["x"].to_numpy()]
    design = np.column_stack(columns if absorbed else [np.ones(len(data)), *columns])
    projection = project(
        design,
        weight=data["w"].to_numpy() if weighted else None,
        absorb=data["bl"].to_numpy() if absorbed else None,
    )
    regression = fit(data["y"].to_numpy(), projection)
    agrees(regression, kind, data["cl"].to_numpy(), case.expected[key], list(range(design.shape[1])))


@pytest.mark.parametrize("key", ["lm_robust|y~z+x|fe=bl|cl|CR2", "lm_robust|y~z_cl+x|cl,w|CR2"])
def test_regressions_as_a_study_asks_for_them(key: str, case: Any, data: pd.DataFrame) -> None:
    """`analysis_of_covariance`: covariates, blocks absorbed or weights, clusters (in both arms for `z`)."""
    x = {"covariates": data[["x"]].to_numpy(), "covariate_names": ("x",)}
    if "fe=bl" in key:
        made = sample(data, "z", block=data["bl"].to_numpy(), **x)
        told(
            AnalysisOfCovariance(variance="HC2", level=0.95)(made, ASK, np.random.default_rng()),
            case.expected["lm_robust|y~z+x|fe=bl|HC2"],
            0,
        )
    else:
        made = sample(data, "z_cl", cluster=data["cl"].to_numpy(), weight=data["w"].to_numpy(), **x)
        told(
            AnalysisOfCovariance(variance="CR2", level=0.95)(made, ASK, np.random.default_rng()),
            case.expected[key],
            1,
        )


@pytest.mark.parametrize("key", LIN)
def test_interacted_regressions(key: str, case: Any, data: pd.DataFrame) -> None:
    clustered, blocked = "z_cl" in key, "factor" in key
    cluster = data["cl"].to_numpy() if clustered else None
    arm = "z_cl" if clustered else "z"
    kind = key.split("|")[-1]
    blocks = data["bl"].to_numpy()
    covariates = data[["x"]].to_numpy()
    if blocked:
        covariates = np.hstack([covariates, indicators(blocks, reference=1)[0]])
    design, _ = interacted(data[arm].to_numpy(bool), covariates, ["c"] * covariates.shape[1], None)
    regression = fit(data["y"].to_numpy(), project(design))
    agrees(regression, kind, cluster, case.expected[key], list(range(design.shape[1])))

    made = sample(
        data,
        arm,
        cluster=cluster,
        block=blocks if blocked else None,
        covariates=data[["x"]].to_numpy(),
        covariate_names=("x",),
    )
    estimate = AdjustedDifference(variance=kind, level=0.95)(made, ASK, np.random.default_rng())  # type: ignore[arg-type]
    told(estimate, case.expected[key], 1)


@pytest.mark.parametrize("key", INSTRUMENTS)
def test_instruments(key: str, case: Any, data: pd.DataFrame) -> None:
    kind = key.split("|")[-1]
    clustered = "|cl|" in key
    problem = Instrumented(
        outcome=data["y"].to_numpy(),
        endogenous=data[["d"]].to_numpy(float),
        exogenous=np.column_stack([np.ones(len(data)), data["x"]]),
        instruments=data[["z"]].to_numpy(float),
        cluster=data["cl"].to_numpy() if clustered else None,
    )
    agrees(two_stage(problem), kind, problem.cluster, case.expected[key], [1, 0, 2])


def test_instruments_as_a_study_asks_for_them(case: Any, data: pd.DataFrame) -> None:
    made = sample(
        data,
        "z",
        received=data["d"].to_numpy(float),
        covariates=data[["x"]].to_numpy(),
        covariate_names=("x",),
    )
    estimate = ComplierAverage(variance="HC2", interval="wald", level=0.95)(
        made, ASK, np.random.default_rng()
    )
    told(estimate, case.expected["iv_robust|y~d+x|z+x|HC2"], 1)


def test_diagnostics_of_instruments(case: Any, data: pd.DataFrame) -> None:
    problem = Instrumented(
        outcome=data["y"].to_numpy(),
        endogenous=data[["d"]].to_numpy(float),
        exogenous=np.column_stack([np.ones(len(data)), data["x"]]),
        instruments=data[["z"]].to_numpy(float),
    )
    weak, endogenous = weak_instruments(problem, None), endogeneity(problem, None)
    expected = case.expected["iv_diagnostics"]
    for found, theirs, df in ((weak, expected["weak"], "nomdf"), (endogenous, expected["endog"], "numdf")):
        assert_allclose(found.statistic, theirs["value"], rtol=ERROR)
        assert_allclose(found.p_value, theirs["p.value"], rtol=DF)
        assert (found.df, found.denominator_df) == (theirs[df], theirs["dendf"])


@pytest.mark.parametrize("key", DIFFERENCES)
def test_differences_in_means(key: str, case: Any, data: pd.DataFrame) -> None:
    block, cluster, weight = (data[c].to_numpy() for c in ("bl", "cl", "w"))
    if key == "dim|matched_pair":
        pairs = pd.read_csv(case.folder / "matched_pairs.csv")
        made = sample(pairs, "z", block=pairs["pair"].to_numpy())
    else:
        made = {
            "dim|y~z": sample(data, "z"),
            "dim|y~z|blocks": sample(data, "z", block=block),
            "dim|y~z_cl|clusters": sample(data, "z_cl", cluster=cluster),
            "dim|y~z_cl|blocks,clusters": sample(data, "z_cl", cluster=cluster, block=block),
            "dim|y~z|weights": sample(data, "z", weight=weight),
        }[key]
    estimator = DifferenceInMeans(variance="neyman" if made.cluster is None else "CR2", level=0.95)
    told(estimator(made, ASK, np.random.default_rng()), case.expected[key])


def test_horvitz_thompson_with_independent_draws(case: Any, data: pd.DataFrame) -> None:
    roster = pd.DataFrame(index=pd.Index([f"p{i}" for i in range(len(data))]))
    made = sample(data, "z", design=Simple(arms=HALF), roster=roster, roster_row=np.arange(len(data)))
    estimate = HorvitzThompson(variance="youngs", level=0.95)(made, ASK, np.random.default_rng())
    told(estimate, case.expected["horvitz_thompson|simple p=.5"])


def test_horvitz_thompson_with_clusters(case: Any, data: pd.DataFrame) -> None:
    """The case states chances of one half, ten places of twenty, though twelve clusters were treated."""
    clusters = data.groupby("cl").agg(total=("y", "sum"), arm=("z_cl", "first"))
    totals, treated = clusters["total"].to_numpy(), clusters["arm"].to_numpy() == 1
    own = np.full((20, 2), 0.5)
    both, one_each = 10 * 9 / (20 * 19), 10 * 10 / (20 * 19)
    joint = np.array([[both, both, one_each]])
    value = horvitz_thompson(totals, treated, own, len(data))
    error = young_variance(totals, treated, own, np.zeros(20, dtype=np.int64), joint) ** 0.5 / len(data)
    expected = case.expected["horvitz_thompson|clusters"]
    limits = interval(value, error, None, 0.95)
    assert_allclose(value, expected["estimate"], rtol=VALUE)
    assert_allclose(error, expected["std.error"], rtol=ERROR)
    assert_allclose(p_value(value, error, None), expected["p.value"], rtol=DF)
    assert_allclose([limits.low, limits.high], [expected["conf.low"], expected["conf.high"]], rtol=DF)


def test_every_key_of_the_suite_is_asked_for(case: Any) -> None:
    asked = {*REGRESSIONS, *LIN, *INSTRUMENTS, *DIFFERENCES, *HORVITZ_THOMPSON, "iv_diagnostics"}
    assert asked == set(case.expected)


def test_neyman_is_hc2_of_the_regression_on_treatment(data: pd.DataFrame) -> None:
    z = data["z"].to_numpy(float)
    regression = fit(data["y"].to_numpy(), project(np.column_stack([np.ones(len(z)), z])))
    covariance = row_covariance(regression.projection, regression.residuals, "HC2")
    estimate = DifferenceInMeans(variance="neyman", level=0.95)(
        sample(data, "z"), ASK, np.random.default_rng()
    )
    assert_allclose(estimate.standard_error, covariance[1, 1] ** 0.5, rtol=1e-12)
