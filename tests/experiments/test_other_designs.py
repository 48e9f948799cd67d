"""Two-stage, rerandomised, wait-list and multi-site draws, and declarations that nobody can draw."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2

from design_examples import example, make_design
from experiments.design import DesignRefused
from experiments.draw_balance import draw_balance

HALVES = {"mentoring": "1/2", "usual": "1/2"}
BALANCED: dict[str, Any] = {
    "balance_on": ["age", "offences"],
    "criterion": "mahalanobis",
    "acceptance": 0.02,
    "chance_draws": 5000,
    "chance_seed": 1,
}


def people(n: int) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    return pd.DataFrame(
        {"age": rng.normal(14, 2, n), "offences": rng.poisson(2, n), "school": np.arange(n) // 5},
        index=[f"p{i}" for i in range(n)],
    )


def test_saturations_are_kept_in_every_cluster() -> None:
    design: Any = make_design(
        "two_stage",
        {"treated": "5/12", "untreated": "7/12"},
        {
            "cluster": "estate",
            "saturations": {
                "high": {"share": "1/2", "arms": {"treated": "2/3", "untreated": "1/3"}},
                "low": {"share": "1/4", "arms": {"treated": "1/3", "untreated": "2/3"}},
                "none": {"share": "1/4", "arms": {"untreated": "1"}},
            },
        },
    )
    roster = pd.DataFrame({"estate": np.repeat(np.arange(8), 6)}, index=range(48))
    saturation, arms = design.draw_both(roster, 100, np.random.default_rng(1))
    assert (np.sort(saturation[:, ::6], axis=1) == [0, 0, 0, 0, 1, 1, 2, 2]).all()
    treated = (arms == 0).reshape(100, 8, 6).sum(axis=2)
    assert (treated == np.array([4, 2, 0])[saturation[:, ::6]]).all()
    # 8!/(4! 2! 2!) ways for the estates, then C(6,4)^4 C(6,2)^2 within them.
    assert design.number_of_draws(roster).number == 420 * 15**4 * 15**2


def test_two_stage_shares_must_be_what_the_stages_give() -> None:
    options = example("two_stage")["options"]
    with pytest.raises(DesignRefused, match="treated 5/12, untreated 7/12"):
        make_design("two_stage", {"treated": "1/2", "untreated": "1/2"}, options)


def test_rerandomised_draws_meet_the_criterion_and_the_declared_share() -> None:
    """Morgan & Rubin (2012): M is near a chi-square of two degrees of freedom; 2% lie below its quantile."""
    design: Any = make_design("rerandomised", HALVES, BALANCED)
    roster = people(200)
    far = design.imbalance_of(roster, design.draw_many(roster, 500, np.random.default_rng(1)))
    plain = make_design("complete", HALVES, {}).draw_many(roster, 20_000, np.random.default_rng(2))
    below = design.imbalance_of(roster, plain) <= far.max()
    assert far.max() == pytest.approx(chi2.ppf(0.02, 2), rel=0.25)
    assert 0.01 < below.mean() < 0.03


def test_the_imbalance_of_two_arms_is_that_of_the_paper() -> None:
    design: Any = make_design("rerandomised", HALVES, BALANCED)
    roster = people(40)
    codes = make_design("complete", HALVES, {}).draw_many(roster, 5, np.random.default_rng(1))
    x = roster[["age", "offences"]].to_numpy()
    for row, found in zip(codes, design.imbalance_of(roster, codes), strict=True):
        step = x[row == 0].mean(axis=0) - x[row == 1].mean(axis=0)
        np.testing.assert_allclose(found, 10 * step @ np.linalg.solve(np.cov(x, rowvar=False), step))


def test_the_largest_difference_is_in_standard_deviations() -> None:
    roster = people(40)
    options = {**BALANCED, "criterion": "per covariate", "limit": 0.2, "acceptance": None}
    design: Any = make_design("rerandomised", HALVES, options)
    codes = make_design("complete", HALVES, {}).draw_many(roster, 5, np.random.default_rng(1))
    x = roster[["age", "offences"]]
    by_hand = [((x[row == 0].mean() - x[row == 1].mean()).abs() / x.std()).max() for row in codes]
    np.testing.assert_allclose(design.imbalance_of(roster, codes), by_hand)


def test_a_limit_on_every_covariate_is_kept_for_clusters_in_blocks() -> None:
    roster = people(150).assign(borough=lambda r: np.where(r["school"] < 15, "e", "w"))
    design: Any = make_design(
        "rerandomised",
        {"a": "1/3", "b": "1/3", "c": "1/3"},
        {
            "balance_on": ["age", "offences"],
            "criterion": "per covariate",
            "limit": 0.15,
            "chance_draws": 1000,
            "chance_seed": 1,
            "cluster": "school",
            "block_by": ["borough"],
        },
    )
    codes = design.draw_many(roster, 100, np.random.default_rng(1))
    x = roster[["age", "offences"]]
    for row in codes:
        means = (x.groupby(row).mean() - x.mean()) / x.std()
        assert (means.max() - means.min() <= 0.15 + 1e-12).all()
    assert (codes.reshape(100, 30, 5) == codes.reshape(100, 30, 5)[:, :, :1]).all()
    assert design.chance_source(roster) == "closed form"


def test_chances_of_unequal_shares_say_how_they_were_found() -> None:
    design = make_design("rerandomised", {"a": "1/4", "b": "3/4"}, BALANCED)
    assert design.chance_source(people(8)) == "enumeration"
    assert design.chance_source(people(60)) == "simulation"
    listed = design.number_of_draws(people(8))
    assert (listed.how, listed.number) == ("enumeration", 1)
    design = make_design("rerandomised", {"a": "1/4", "b": "3/4"}, {**BALANCED, "acceptance": 0.3})
    few = design.chance(people(12))
    assert 0 < few["a"].min() < 0.25 < few["a"].max() < 1
    np.testing.assert_allclose(few["a"].sum(), 3.0)


def test_a_limit_that_nothing_meets_is_refused() -> None:
    options = {**BALANCED, "criterion": "per covariate", "limit": 1e-6}
    options.pop("acceptance")
    with pytest.raises(DesignRefused, match="none of 924 base draws within the limit"):
        make_design("rerandomised", HALVES, options).draw(people(12), np.random.default_rng(1))
    with pytest.raises(DesignRefused, match="`limit` above 0"):
        make_design("rerandomised", HALVES, {**BALANCED, "criterion": "per covariate"})


def test_covariates_that_cannot_be_balanced_are_named() -> None:
    design = make_design("rerandomised", HALVES, BALANCED)
    rng = np.random.default_rng(1)
    with pytest.raises(DesignRefused, match="'age', which has one value only"):
        design.draw(people(20).assign(age=14), rng)
    with pytest.raises(DesignRefused, match="'age', which is not a number"):
        design.draw(people(20).assign(age="fourteen"), rng)


def test_a_wait_list_says_how_long_it_can_be_followed() -> None:
    design: Any = make_design("wait_list", HALVES, {"waiting": "usual", "wait_days": 120})
    assert design.longest_follow_up_days == 120
    with pytest.raises(DesignRefused, match="at least one day"):
        make_design("wait_list", HALVES, {"waiting": "usual", "wait_days": 0})
    with pytest.raises(DesignRefused, match="'later'"):
        make_design("wait_list", HALVES, {"waiting": "later", "wait_days": 10})


def test_sites_keep_shares_of_their_own_and_may_lack_an_arm() -> None:
    thirds = {"a": "1/3", "b": "1/3", "c": "1/3"}
    design = make_design(
        "multi_site", thirds, {"site": "site", "shares_by_site": {"x": {"a": "1/4", "b": "3/4"}}}
    )
    roster = pd.DataFrame({"site": ["x"] * 8 + ["y"] * 6}, index=range(14))
    codes = design.draw_many(roster, 100, np.random.default_rng(1))
    assert ((codes[:, :8] == 0).sum(axis=1) == 2).all()
    assert (codes[:, :8] != 2).all()
    assert ((codes[:, 8:] == 2).sum(axis=1) == 2).all()
    assert design.block_columns == ("site",)


def test_balance_before_and_after_shows_what_the_design_bought() -> None:
    roster = people(100)
    design = make_design("rerandomised", HALVES, BALANCED)
    drawn = design.draw(roster, np.random.default_rng(1))
    found = draw_balance(
        design,
        roster,
        drawn,
        ("age", "offences"),
        arm="mentoring",
        other="usual",
        draws=500,
        rng=np.random.default_rng(2),
    )
    assert (found.after.std(axis=0) < 0.5 * found.before.std(axis=0)).all()
    treated = (drawn.arm == "mentoring").to_numpy()
    by_hand = (roster["age"][treated].mean() - roster["age"][~treated].mean()) / roster["age"].std()
    np.testing.assert_allclose(found.drawn[0], by_hand)


@pytest.mark.parametrize(
    ("scheme", "change", "said"),
    [
        ("before_after_comparison", {"intervention_starts": 1}, "after the first"),
        ("before_after_comparison", {"anticipation_periods": 2}, "at least one period left"),
        ("staggered_rollout", {"anticipation_periods": -1}, "0 or more"),
        ("synthetic_comparison", {"treated_units": []}, "one place or more"),
        ("synthetic_comparison", {"excluded_donors": {"borough_1": "treated"}}, "1 excluded too"),
        ("interrupted_series", {"breaks": {"4": "a new recording rule"}}, "told from an effect"),
        ("interrupted_series", {"intervention_starts": 2}, "three or more before"),
        ("interrupted_series", {"season_length": 1}, "2 or more"),
        ("cutoff", {"received": None}, "the column of take-up"),
        ("cutoff", {"threshold": float("inf")}, "a finite number"),
        ("instrument", {"monotone": " "}, "a sentence a reviewer can dispute"),
        ("matched_cohort", {"match_on": [], "exact_on": []}, "no columns"),
        ("matched_cohort", {"caliper": 0.0}, "a distance above 0"),
        ("matched_cohort", {"confounders_not_measured": ""}, "a sentence"),
    ],
)
def test_declarations_that_leave_their_assumption_unsaid_are_refused(
    scheme: str, change: dict[str, Any], said: str
) -> None:
    content = example(scheme)
    with pytest.raises(DesignRefused, match=said):
        make_design(scheme, content["arms"], {**content["options"], **change})
