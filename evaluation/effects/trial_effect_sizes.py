"""All the standardised differences of one trial: fits the models, then labels every g.

Individuals: least squares, blocks as indicators. Clusters: a random intercept per cluster. Sites: a
random intercept and a random effect of treatment per site, correlated; the total SD is the mean of the
arms' SDs squared, s_b^2 + P (s_t^2 + 2 s_bt) + s_w^2 with P the share treated.

The effect b is that of the model with covariates where there are any. Intervals are t: n - p for
individuals, clusters - 2 (less blocks but one), and sites - 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import get_args

import numpy as np

from evaluation.effects.effect_size import (
    EffectSize,
    Spread,
    Standardiser,
    cluster_variance,
    effect_size,
    individual_variance,
    layout,
    site_variance,
)
from evaluation.effects.variance_components import Components, icc_interval, reml
from evaluation.estimate import EstimatorRefused
from evaluation.inference.factor_codes import factor_codes
from evaluation.inference.heteroskedastic import row_covariance
from evaluation.inference.least_squares import Floats, Ints, fit, indicators, project
from evaluation.sample import Sample


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialEffectSizes:
    """Every g that the design and covariates allow; the ICC (with profile limits) of the arms-only model.

    `effect` and `effect_error` are b and its SE in the outcome's unit; `notes` say what the models met.
    """

    sizes: tuple[EffectSize, ...]
    effect: float
    effect_error: float
    df: float
    icc: float | None
    icc_low: float | None
    icc_high: float | None
    notes: tuple[str, ...]

    def find(self, spread: Spread, standardiser: Standardiser) -> EffectSize | None:
        """The one with this label."""
        return next((s for s in self.sizes if s.spread == spread and s.standardiser == standardiser), None)


def trial_effect_sizes(sample: Sample, level: float) -> TrialEffectSizes:
    """Effect sizes of a complete sample of a mean outcome."""
    if sample.cluster is not None:
        return _clusters(sample, level)
    if sample.block is not None and sample.design is not None and sample.design.scheme == "multi_site":
        return _sites(sample, level)
    return _individuals(sample, level)


def designs(sample: Sample) -> dict[Standardiser, Floats]:
    """Fixed parts of the three models: empty, arms (and blocks), and with the covariates.

    Columns are the intercept, treatment, blocks, covariates; sites of a multi-site trial are random.
    """
    one = np.ones((len(sample.outcome), 1))
    arms = [one, sample.treated.astype(np.float64)[:, None]]
    multi = sample.cluster is None and sample.design is not None and sample.design.scheme == "multi_site"
    if sample.block is not None and not multi:
        arms.append(indicators(sample.block, reference=int(sample.block.min()))[0])
    made: dict[Standardiser, Floats] = {"empty": one, "unconditional": np.hstack(arms)}
    if sample.covariates is not None and sample.covariates.shape[1]:
        made["conditional"] = np.hstack([*arms, sample.covariates])
    return made


def _individuals(sample: Sample, level: float) -> TrialEffectSizes:
    made = designs(sample)
    fits = {name: fit(sample.outcome, project(design)) for name, design in made.items()}
    adjusted = "conditional" in fits
    best = fits["conditional" if adjusted else "unconditional"]
    best.projection.position(1)
    effect = float(best.coefficients[1])
    error = sqrt(float(row_covariance(best.projection, best.residuals, "HC2")[1, 1]))
    df = float(best.projection.residual_df)
    sizes = []
    for name in _order(fits):
        p = fits[name].projection
        sd = sqrt(float(np.sum(fits[name].residuals ** 2)) / p.residual_df)
        _check_sd(sd, float(np.abs(sample.outcome).max(initial=0.0)))
        plain = not adjusted and sample.block is None
        variance = individual_variance(
            effect / sd, layout(sample.treated, None), None if plain else error / sd
        )
        sizes.append(
            effect_size(
                design="individual",
                spread="total",
                standardiser=name,
                d=effect / sd,
                variance=variance,
                df=float(p.residual_df),
                sd=sd,
                interval_df=df,
                level=level,
                adjusted=adjusted,
            )
        )
    return TrialEffectSizes(
        sizes=tuple(sizes),
        effect=effect,
        effect_error=error,
        df=df,
        icc=None,
        icc_low=None,
        icc_high=None,
        notes=(),
    )


def _clusters(sample: Sample, level: float) -> TrialEffectSizes:
    assert sample.cluster is not None
    _check_within(sample.outcome, sample.cluster)
    made = designs(sample)
    fits = {
        name: reml(sample.outcome, design, np.ones((len(sample.outcome), 1)), sample.cluster)
        for name, design in made.items()
    }
    effect, error, adjusted = _effect(fits)
    held = layout(sample.treated, sample.cluster)
    blocks = 0 if sample.block is None else len(np.unique(sample.block)) - 1
    interval_df = float(held.groups - 2 - blocks)
    plain = not adjusted and sample.block is None
    sizes = []
    for name in _order(fits):
        between, within = float(fits[name].random[0, 0]), fits[name].residual
        rho = between / (between + within)
        for spread in get_args(Spread):
            sd = sqrt(within if spread == "within" else between + within)
            _check_sd(sd, float(np.abs(sample.outcome).max(initial=0.0)))
            variance, df = cluster_variance(effect / sd, spread, held, rho, None if plain else error / sd)
            sizes.append(
                effect_size(
                    design="cluster",
                    spread=spread,
                    standardiser=name,
                    d=effect / sd,
                    variance=variance,
                    df=df,
                    sd=sd,
                    interval_df=interval_df,
                    level=level,
                    adjusted=adjusted,
                )
            )
    icc, low, high = _icc(sample, made["unconditional"], fits["unconditional"], sample.cluster, level)
    return TrialEffectSizes(
        sizes=tuple(sizes),
        effect=effect,
        effect_error=error,
        df=interval_df,
        icc=icc,
        icc_low=low,
        icc_high=high,
        notes=_notes(fits),
    )


def _sites(sample: Sample, level: float) -> TrialEffectSizes:
    assert sample.block is not None
    site, z, y = sample.block, sample.treated, sample.outcome
    _check_within(y, site)
    made = designs(sample)
    both = np.column_stack([np.ones(len(y)), z])
    fits = {
        name: reml(y, design, both[:, :1] if name == "empty" else both, site) for name, design in made.items()
    }
    effect, error, adjusted = _effect(fits)
    labels, codes = np.unique(site, return_inverse=True)
    n1 = np.bincount(codes[z], minlength=len(labels))
    n0 = np.bincount(codes[~z], minlength=len(labels))
    if np.any((n1 == 0) | (n0 == 0)):
        raise EstimatorRefused(
            where="design.site",
            found=f"{int(np.count_nonzero((n1 == 0) | (n0 == 0)))} sites without people in both arms",
            expected="both arms in every site",
            remedy="Leave those sites out by a rule written in the protocol, or use `hajek`.",
        )
    pairs, share = n1 * n0 / (n1 + n0), float(z.mean())
    slopes = float(fits["conditional" if adjusted else "unconditional"].random[1, 1])
    sizes = []
    for name in _order(fits):
        within, random = fits[name].residual, fits[name].random
        between = float(random[0, 0])
        if len(random) == 2:
            between += share * float(random[1, 1] + 2 * random[0, 1])
        for spread in get_args(Spread):
            sd = sqrt(within if spread == "within" else between + within)
            _check_sd(sd, float(np.abs(sample.outcome).max(initial=0.0)))
            d = effect / sd
            residual = fits["conditional" if adjusted else "unconditional"].residual
            sizes.append(
                effect_size(
                    design="multi_site",
                    spread=spread,
                    standardiser=name,
                    d=d,
                    variance=site_variance(d, sd, residual, slopes, pairs, (len(y), len(labels))),
                    df=float(len(y) - 2 * len(labels)),
                    sd=sd,
                    interval_df=float(len(labels) - 1),
                    level=level,
                    adjusted=adjusted,
                )
            )
    intercepts = reml(y, made["unconditional"], both[:, :1], site)
    icc, low, high = _icc(sample, made["unconditional"], intercepts, site, level)
    return TrialEffectSizes(
        sizes=tuple(sizes),
        effect=effect,
        effect_error=error,
        df=float(len(labels) - 1),
        icc=icc,
        icc_low=low,
        icc_high=high,
        notes=_notes(fits),
    )


def _effect(fits: dict[Standardiser, Components]) -> tuple[float, float, bool]:
    """b, its standard error, and whether covariates were in the model."""
    adjusted = "conditional" in fits
    best = fits["conditional" if adjusted else "unconditional"]
    if 1 not in best.kept:
        raise EstimatorRefused(
            where="covariates",
            found="covariates or blocks that tell the arms apart exactly",
            expected="an arm that varies when they are held still",
            remedy="Remove the covariate that repeats the arm.",
        )
    return float(best.coefficients[1]), sqrt(float(best.covariance[1, 1])), adjusted


def _icc(
    sample: Sample, design: Floats, fitted: Components, group: Ints, level: float
) -> tuple[float, float, float]:
    between = float(fitted.random[0, 0])
    low, high = icc_interval(sample.outcome, design, group, fitted, level)
    return between / (between + fitted.residual), low, high


def _notes(fits: dict[Standardiser, Components]) -> tuple[str, ...]:
    return tuple(
        f"In the {name} model a variance between groups was estimated as zero."
        for name in _order(fits)
        if fits[name].singular
    )


def _order[T](fits: dict[Standardiser, T]) -> list[Standardiser]:
    return [name for name in get_args(Standardiser) if name in fits]


def _check_within(outcome: Floats, group: Ints) -> None:
    """Refuse an outcome that is one number in each group: there is no SD of people to speak of."""
    codes, count = factor_codes(group)
    mean = np.bincount(codes, weights=outcome, minlength=count) / np.bincount(codes, minlength=count)
    _check_sd(float(np.std(outcome - mean[codes])), float(np.abs(outcome).max(initial=0.0)))


def _check_sd(sd: float, size: float) -> None:
    if not sd > 1e-12 * size:
        raise EstimatorRefused(
            where="outcome",
            found="an outcome that does not vary within groups",
            expected="a standard deviation above zero",
            remedy="Report the difference in the outcome's own unit.",
        )
