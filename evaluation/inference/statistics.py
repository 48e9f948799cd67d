"""Test statistics of many assignments at once, for every hypothesised effect at once.

Under a hypothesis indexed by theta, the outcome totals that would have been seen without treatment
are linear in theta: y(theta) = a + theta b. A shift tau on each person is a = y, b = -z_obs e; a
ratio r on each unit is a = y (1 - z_obs), b = y z_obs with theta = 1 / r. For an assignment z, with
w_s the share of stratum s, R_sk the weighted rate of arm k in it, and f_j = w_kj e_j,

    R_sk = sum_{arm k} w_kj y_j / F_sk,    F_sk = sum_{arm k} f_j
    D(z, theta) = sum_s w_s (R_s1 - R_s0)                                         linear in theta
    V(z, theta) = sum_s w_s^2 sum_k n_sk / (n_sk - 1) sum_{arm k} w_kj^2 (y_j - R_sk e_j)^2 / F_sk^2

and V is quadratic in theta. So five numbers per assignment give the statistic D / sqrt(V) at every
theta, and they come from products of the matrix of assignments with a few columns. With e = 1 and
equal chances V is Neyman's variance; with e the cluster size it is the linearised variance of a
ratio of cluster totals; with weights it is that of the Hajek estimator.

Two other variances serve designs in which V cannot be computed. `between_strata` is for pairs and
other strata with one unit in an arm: S / (S - 1) sum_s (w_s D_s - D / S)^2. `by_cluster` is for
treatment that varies over periods: G / (G - 1) sum_g (sum of the units' influence in cluster g)^2.

References: Imbens & Rubin (2015), Causal Inference, chapters 5, 6, 9 and 10; Wu & Ding (2021), JASA
116(536), 1898-1913, on the studentised statistic; Imai, King & Nall (2009), Statistical Science
24(1), eq. 6, on pairs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from evaluation.estimate import EstimatorRefused
from evaluation.inference.drawn_units import DrawnUnits
from evaluation.sample import Bools, Floats

Variance = Literal["two_sample", "between_strata", "by_cluster"]

# The ten sums of an arm in a stratum: count, u, v, f, uu, uv, vv, uf, vf, ff, where u = w a, v = w b.
# Where f = 1 four of them repeat others, and only the first six columns below are multiplied.
_PLAIN = (0, 1, 2, 0, 3, 4, 5, 1, 2, 0)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Coefficients:
    """D = d0 + theta d1 and V = v0 + theta v1 + theta^2 v2, one value per assignment: (B,) each.

    NaN where an assignment leaves an arm of a stratum too small for the statistic.
    """

    d0: Floats
    d1: Floats
    v0: Floats
    v1: Floats
    v2: Floats

    @property
    def defined(self) -> Bools:
        """(B,) True where the statistic exists."""
        return np.isfinite(self.d0) & np.isfinite(self.v0)

    def keep(self, which: Bools) -> Coefficients:
        """The same for some of the assignments."""
        return Coefficients(
            d0=self.d0[which], d1=self.d1[which], v0=self.v0[which], v1=self.v1[which], v2=self.v2[which]
        )

    def difference(self, theta: float) -> Floats:
        """(B,) D at theta."""
        return np.asarray(self.d0 + theta * self.d1, dtype=np.float64)

    def variance(self, theta: float) -> Floats:
        """(B,) V at theta, never below zero."""
        return np.maximum(self.v0 + theta * (self.v1 + theta * self.v2), 0.0)


class Statistic(Protocol):
    """A test statistic of many assignments at once."""

    def __call__(self, assigned: Bools, weight: tuple[Floats, Floats] | None = None) -> Coefficients:
        """The coefficients of each assignment (B, J)."""
        ...


def join(parts: list[Coefficients]) -> Coefficients:
    """One set from the sets of several chunks."""
    return Coefficients(
        d0=np.concatenate([p.d0 for p in parts]),
        d1=np.concatenate([p.d1 for p in parts]),
        v0=np.concatenate([p.v0 for p in parts]),
        v1=np.concatenate([p.v1 for p in parts]),
        v2=np.concatenate([p.v2 for p in parts]),
    )


def shifted(units: DrawnUnits) -> tuple[Floats, Floats]:
    """(a, b) of a constant shift: y(tau) = y - tau z_obs e."""
    return units.total, np.where(units.treated, -units.size, 0.0)


def scaled(units: DrawnUnits) -> tuple[Floats, Floats]:
    """(a, b) of a constant ratio: y(1 / r) = y in the reference arm, y / r in the other."""
    return units.total * ~units.treated, units.total * units.treated


def without_place_means(column: Floats, units: DrawnUnits) -> Floats:
    """A column less its mean over each place's periods: for crossovers, where places are their own match."""
    assert units.cluster is not None
    mean = np.bincount(units.cluster, weights=column) / np.bincount(units.cluster, weights=units.size)
    return np.asarray(column - mean[units.cluster] * units.size, dtype=np.float64)


def variance_for(units: DrawnUnits) -> Variance:
    """The variance that these units allow; refuses a sample that allows none."""
    if units.cluster is not None:
        return "by_cluster"
    strata = len(units.edges) - 1
    treated = np.bincount(units.stratum, weights=units.treated)
    smallest = int(min(treated.min(), (np.bincount(units.stratum) - treated).min()))
    if smallest >= 2:
        return "two_sample"
    if strata >= 2:
        return "between_strata"
    raise EstimatorRefused(
        where="sample",
        found="one unit in an arm",
        expected="two units in each arm for a studentised statistic",
        remedy="Use `statistic: difference`, whose re-draws need no variance.",
    )


def statistic_of(units: DrawnUnits, a: Floats, b: Floats, variance: Variance | None) -> Statistic:
    """A function from assignments (B, J) to `Coefficients`; variance None leaves V at 1.

    The function also takes the weights (B, J) of the reference and of the arm, where they differ from
    one assignment to the next (adaptive allocation, units in one stratum).
    """
    # D does not move when a multiple of e is taken from y, and small numbers cancel less in V.
    a = a - a.sum() / units.size.sum() * units.size
    b = b - b.sum() / units.size.sum() * units.size
    share = units.share
    least = 2 if variance == "two_sample" else 1
    arms = [_columns(units, a, b, k) for k in (1, 0)]
    same = units.weight is None
    totals = _sums(np.ones((1, len(a))), arms[1], units)

    def coefficients(assigned: Bools, weight: tuple[Floats, Floats] | None = None) -> Coefficients:
        z = assigned.astype(np.float64)
        if weight is not None:
            treated = _weighted_sums(z, weight[1], a, b, units.size)
            reference = _weighted_sums(1.0 - z, weight[0], a, b, units.size)
        else:
            treated = _sums(z, arms[0], units)
            reference = totals - (treated if same else _sums(z, arms[1], units))
            if arms[0].shape[1] == 6:
                treated, reference = treated[_PLAIN, ...], reference[_PLAIN, ...]
        short = np.minimum(treated[0], reference[0]).min(axis=1) < least - 0.5
        with np.errstate(divide="ignore", invalid="ignore"):
            alpha = [s[1] / s[3] for s in (treated, reference)]
            beta = [s[2] / s[3] for s in (treated, reference)]
            d0, d1 = (alpha[0] - alpha[1]) @ share, (beta[0] - beta[1]) @ share
            if variance is None:
                v: tuple[Floats, ...] = (np.ones_like(d0), np.zeros_like(d0), np.zeros_like(d0))
            elif variance == "two_sample":
                v = _two_sample(treated, alpha[0], beta[0], share)
                v = tuple(
                    x + y for x, y in zip(v, _two_sample(reference, alpha[1], beta[1], share), strict=True)
                )
            elif variance == "between_strata":
                v = _between(alpha[0] - alpha[1], beta[0] - beta[1], share)
            else:
                v = _by_cluster(z, a, b, units, alpha, beta, (treated[3], reference[3]))
        d0 = np.where(short, np.nan, d0)
        return Coefficients(d0=d0, d1=d1, v0=v[0], v1=v[1], v2=v[2])

    return coefficients


def _columns(units: DrawnUnits, a: Floats, b: Floats, arm: int) -> Floats:
    """(J, 6) where every f is 1, else (J, 10): what the matrix of assignments multiplies."""
    w = np.ones(len(a)) if units.weight is None else units.weight[:, arm]
    u, v, f = w * a, w * b, w * units.size
    one = np.ones(len(a))
    if (f == 1).all():
        return np.column_stack([one, u, v, u * u, u * v, v * v])
    return np.column_stack([one, u, v, f, u * u, u * v, v * v, u * f, v * f, f * f])


def _sums(z: Floats, columns: Floats, units: DrawnUnits) -> Floats:
    """(columns, B, S): sums over the units that z puts in the arm, stratum by stratum."""
    strata = len(units.edges) - 1
    out = np.empty((strata, len(z), columns.shape[1]))
    for s in range(strata):
        inside = slice(units.edges[s], units.edges[s + 1])
        np.matmul(z[:, inside], columns[inside], out=out[s])
    return np.ascontiguousarray(out.transpose(2, 1, 0))


def _weighted_sums(inside: Floats, weight: Floats, a: Floats, b: Floats, e: Floats) -> Floats:
    """(10, B, 1): the ten sums with weights that differ between assignments."""
    once = inside * weight
    twice = once * weight
    first = once @ np.column_stack([a, b, e])
    second = twice @ np.column_stack([a * a, a * b, b * b, a * e, b * e, e * e])
    stacked = np.column_stack([inside.sum(axis=1), first, second]).T[:, :, None]
    return np.asarray(stacked, dtype=np.float64)


def _two_sample(s: Floats, alpha: Floats, beta: Floats, share: Floats) -> tuple[Floats, ...]:
    n, _, _, f, uu, uv, vv, uf, vf, ff = s
    scale = n / (n - 1) / f**2 * share**2
    return (
        (scale * (uu - 2 * alpha * uf + alpha**2 * ff)).sum(axis=1),
        (scale * 2 * (uv - alpha * vf - beta * uf + alpha * beta * ff)).sum(axis=1),
        (scale * (vv - 2 * beta * vf + beta**2 * ff)).sum(axis=1),
    )


def _between(alpha: Floats, beta: Floats, share: Floats) -> tuple[Floats, ...]:
    strata = len(share)
    p, q = alpha * share, beta * share
    p, q = p - p.mean(axis=1, keepdims=True), q - q.mean(axis=1, keepdims=True)
    scale = strata / (strata - 1)
    return scale * (p * p).sum(axis=1), scale * 2 * (p * q).sum(axis=1), scale * (q * q).sum(axis=1)


def _by_cluster(
    z: Floats,
    a: Floats,
    b: Floats,
    units: DrawnUnits,
    alpha: list[Floats],
    beta: list[Floats],
    mass: tuple[Floats, Floats],
) -> tuple[Floats, ...]:
    assert units.cluster is not None
    clusters = int(units.cluster.max()) + 1
    member = (units.cluster[:, None] == np.arange(clusters)).astype(np.float64)
    p, q = np.zeros((len(z), clusters)), np.zeros((len(z), clusters))
    for k, sign in ((0, 1.0), (1, -1.0)):
        w = np.ones(len(a)) if units.weight is None else units.weight[:, 1 - k]
        inside = (z if k == 0 else 1.0 - z) * w
        scale = sign * inside * (units.share / mass[k])[:, units.stratum]
        p += (scale * (a - alpha[k][:, units.stratum] * units.size)) @ member
        q += (scale * (b - beta[k][:, units.stratum] * units.size)) @ member
    scale_up = clusters / (clusters - 1)
    return (
        scale_up * (p * p).sum(axis=1),
        scale_up * 2 * (p * q).sum(axis=1),
        scale_up * (q * q).sum(axis=1),
    )
