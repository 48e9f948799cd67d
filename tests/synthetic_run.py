"""A run's folder written by hand, by the findings' schema, so that pages can be tested on any numbers."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np

from experiments.load import find_study, load_protocol
from experiments.protocol import declared

SHA = hashlib.sha256(b"made for tests").hexdigest()
ARMS = ("financial_aid", "no_aid")


def protocol(**changes: Any) -> dict[str, Any]:
    """The LIFE declaration as plain dicts, with changes to its top level."""
    content = json.loads(json.dumps(declared(load_protocol(find_study("baltimore_life"))), default=str))
    return {**content, **changes}


def run_content(
    people: tuple[int, int] = (216, 216),
    events: tuple[int, int] = (48, 66),
    observed: tuple[int, int] | None = None,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Findings and evidence of a two-arm trial with these counts."""
    seen = observed or people
    declaration = protocol()
    findings = {
        "study": "baltimore_life",
        "protocol_sha256": SHA,
        "data_sha256": {"life_release_cohort": SHA},
        "code": SHA,
        "seed": 19711001,
        "registered": False,
        "flow": _flow(people, seen),
        "estimates": _estimates(seen, events),
        "checks": _checks(people, seen),
        "versions": {"python": "3.13.0", "desist": "0.1.0", "numpy": "2.5.0", "pymc": "6.4.0"},
    }
    evidence = {
        "study": "baltimore_life",
        "protocol": declaration,
        "fingerprint": SHA,
        "primary": {"outcome": "rearrest", "estimand": "rearrest_difference", "analysis": "primary"},
        "tables": [
            {
                "name": "life_release_cohort",
                "grain": "one man released from prison",
                "rows": sum(people),
                "sha256": SHA,
                "source": "Rossi, Berk & Lenihan (1980)",
                "extracted": "2026-11-01",
                "provisional": False,
                "controller": "open data",
            }
        ],
        "outcomes": _outcomes(people, seen, events),
        "curves": [
            {"outcome": "time_to_rearrest", "arm": arm, "steps": steps(seen[k], events[k])}
            for k, arm in enumerate(ARMS)
        ],
        "checks": {"balance": _balance(people), "attrition": _attrition(people, seen)},
        "definitions": [],
        "apart": [],
        "sources": {name: ["life_release_cohort"] for name in declaration["outcomes"]},
        "balance": _balance(people),
        "deviations": [],
        "links": [],
    }
    return json.loads(json.dumps(findings)), json.loads(json.dumps(evidence))


def write_run(folder: Path, findings: dict[str, Any], evidence: dict[str, Any]) -> Path:
    """Write both files, the evidence vouching for the findings."""
    folder.mkdir(parents=True, exist_ok=True)
    raw = (json.dumps(findings, indent=1, ensure_ascii=False) + "\n").encode()
    (folder / "findings.json").write_bytes(raw)
    vouched = {**evidence, "findings_sha256": hashlib.sha256(raw).hexdigest()}
    (folder / "evidence.json").write_text(json.dumps(vouched, indent=1, ensure_ascii=False), encoding="utf-8")
    return folder


def steps(people: int, events: int) -> list[dict[str, Any]]:
    """Events spread one by one over 52 weeks, nobody censored before the end."""
    rows = [{"time": 0.0, "at_risk": people, "events": 0, "censored": 0, "survival": 1.0}]
    alive = people
    for k in range(events):
        alive -= 1
        time = round(1 + 50 * (k + 1) / events, 2)
        rows.append(
            {"time": time, "at_risk": alive + 1, "events": 1, "censored": 0, "survival": alive / people}
        )
    rows.append({"time": 52.0, "at_risk": alive, "events": 0, "censored": alive, "survival": alive / people})
    return rows


def _flow(people: tuple[int, int], seen: tuple[int, int]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = [{"stage": "randomised", "arm": None, "people": sum(people)}]
    rows += [{"stage": "randomised", "arm": a, "people": n} for a, n in zip(ARMS, people, strict=True)]
    for stage in ("primary outcome measured", "in the primary analysis"):
        rows += [{"stage": stage, "arm": a, "people": n} for a, n in zip(ARMS, seen, strict=True)]
    return rows


def _row(
    analysis: str, estimator: str, scale: str, value: float, se: float | None, **more: Any
) -> dict[str, Any]:
    low, high = more.pop("ends")
    extra = more.pop("extra", {})
    estimand = "rearrest_hazard" if scale == "hazard_ratio" else "rearrest_difference"
    return {
        "estimand": estimand,
        "estimator": estimator,
        "scale": scale,
        "value": value,
        "standard_error": se,
        "interval": {"low": low, "high": high, "level": 0.95, "kind": more.pop("kind", "confidence")},
        "p_value": more.pop("p", None),
        "df": more.pop("df", None),
        "unit": "ratio of hazards" if scale == "hazard_ratio" else "proportion of men re-arrested",
        "units_used": more.pop("n"),
        "clusters_used": None,
        "registered": False,
        "extra": {"analysis": analysis, "missing": "complete_case", "behind": more.pop("behind"), **extra},
    }


def _estimates(seen: tuple[int, int], events: tuple[int, int]) -> list[dict[str, Any]]:
    n, (n1, n0), (e1, e0) = sum(seen), seen, events
    behind = [
        {"arm": a, "people": m, "events": float(e), "clusters": None}
        for a, m, e in zip(ARMS, seen, events, strict=True)
    ]
    shared: dict[str, Any] = {"n": n, "behind": behind}
    p1, p0 = e1 / max(n1, 1), e0 / max(n0, 1)
    d = p1 - p0
    se = (p1 * (1 - p1) / max(n1 - 1, 1) + p0 * (1 - p0) / max(n0 - 1, 1)) ** 0.5
    ends = (d - 1.96 * se, d + 1.96 * se)
    x = np.linspace(d - 4 * se, d + 4 * se, 201)
    y = np.exp(-(((x - d) / se) ** 2) / 2)
    convergence = {
        "r_hat": 1.001, "ess_bulk": 6000.0, "ess_tail": 5500.0, "divergences": 0, "monte_carlo_error": 5e-4,
    }  # fmt: skip
    bayes = {
        "probability_of_benefit": 0.974,
        "probability_worthwhile": 0.772,
        "smallest_worthwhile": -0.05,
        "quantiles": {"0.025": ends[0], "0.5": d, "0.975": ends[1]},
        "density": {"x": x.tolist(), "y": y.tolist()},
        "convergence": convergence,
        "prior_sensitivity": [
            {
                "prior": name, "mean": 0.0, "sd": sd, "effective_draws": 9000.0, "value": d, "low": ends[0],
                "high": ends[1], "probability_of_benefit": 0.97, "probability_worthwhile": 0.77,
            }
            for name, sd in (("as declared", 1.0), ("half the spread", 0.5), ("twice the spread", 2.0))
        ],
    }  # fmt: skip
    return [
        _row("primary", "difference_in_means", "risk_difference", d, se, ends=ends, p=0.0489, df=425.0, **shared),
        _row(
            "adjusted", "adjusted_difference", "risk_difference", d + 0.005, se, ends=(d - 0.077, d + 0.087), p=0.06, df=418.0,
            **shared,
        ),
        _row(
            "bayesian", "bayes_binary", "risk_difference", d + 0.002, se, ends=ends, kind="credible", extra=bayes, **shared
        ),
        _row(
            "randomisation", "randomisation_test", "risk_difference", d, None, ends=(d - 0.084, d + 0.086), p=0.0612,
            extra={"redraws": 19999, "exact": False, "null": "weak"}, **shared,
        ),
        _row(
            "time_adjusted", "proportional_hazards", "hazard_ratio", 0.684, 0.191, ends=(0.47, 0.995), p=0.047,
            extra={"log_hazard_ratio": -0.379, "coefficients": {"age": {"coefficient": -0.057}}}, **shared,
        ),
        _row("time_unadjusted", "proportional_hazards", "hazard_ratio", 0.691, 0.19, ends=(0.476, 1.003), p=0.052, **shared),
    ]  # fmt: skip


def _outcomes(
    people: tuple[int, int], seen: tuple[int, int], events: tuple[int, int]
) -> list[dict[str, Any]]:
    rows = []
    for outcome in ("rearrest", "time_to_rearrest"):
        for k, arm in enumerate(ARMS):
            rows.append(
                {
                    "outcome": outcome,
                    "arm": arm,
                    "people": people[k],
                    "observed": seen[k],
                    "events": float(events[k]),
                    "mean": events[k] / seen[k] if outcome == "rearrest" and seen[k] else None,
                    "sd": None,
                    "exposure": None,
                }
            )
    return rows


def _balance(people: tuple[int, int]) -> list[dict[str, Any]]:
    rows = []
    for name, mean, sd, d in (
        ("age", 24.6, 6.11, 0.05), ("prior_convictions", 2.98, 2.9, -0.01), ("married", None, None, 0.06),
        ("parole", None, None, 0.02), ("work_experience", None, None, 0.07), ("black", None, None, -0.03),
    ):  # fmt: skip
        for k, arm in enumerate(reversed(ARMS)):
            n = people[1 - k]
            share = {"married": 0.125, "parole": 0.62, "work_experience": 0.57, "black": 0.875}.get(name, 0.0)
            m = round(share * n) / n if mean is None and n else mean
            s = (m * (1 - m) * n / (n - 1)) ** 0.5 if mean is None and m is not None and n > 1 else sd
            rows.append(
                {"covariate": name, "arm": arm, "mean": m, "sd": s, "n": n, "standardised_difference": d}
            )
    return rows


def _attrition(people: tuple[int, int], seen: tuple[int, int]) -> list[dict[str, Any]]:
    return [
        {
            "arm": arm,
            "randomised": people[k],
            "observed": seen[k],
            "lost": people[k] - seen[k],
            "share_lost": (people[k] - seen[k]) / people[k] if people[k] else None,
        }
        for k, arm in enumerate(ARMS)
    ]


def _checks(people: tuple[int, int], seen: tuple[int, int]) -> list[dict[str, Any]]:
    return [
        {
            "name": "balance",
            "question": "Were the arms alike at the start?",
            "verdict": "met",
            "statistic": 0.07,
            "note": "Largest for work_experience.",
        },
        {
            "name": "attrition",
            "question": "Did few people leave before the outcome, and alike in the two arms?",
            "verdict": "met",
            "statistic": 1 - sum(seen) / sum(people) if sum(people) else None,
            "note": "Within both limits.",
        },
    ]
