"""Findings: all that a run found, with what it was found from. Sensitive; stays where the data are.

Two JSON files hold them, both the same bytes whenever the same protocol meets the same data under
the same code: `findings.json`, whose layout others may script against (`findings.schema.json`), and
`evidence.json`, with the tables behind them that the release gate needs. Times and machines are in
`run.json`, apart.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from data_contracts.refusal import Refusal
from evaluation.estimate import Check, Estimate

SCHEMA = Path(__file__).with_name("findings.schema.json")
PACKAGES = ("data_contracts", "experiments", "evaluation", "reports", "desist")


class FindingsRefused(Refusal):
    """A folder that holds no findings, or findings that were altered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """The content of `findings.json` and `evidence.json`, as plain dictionaries."""

    findings: Mapping[str, Any]
    evidence: Mapping[str, Any]

    @property
    def estimates(self) -> list[dict[str, Any]]:
        """The estimates, in the order of the study's analyses."""
        return list(self.findings["estimates"])


def estimate_row(estimate: Estimate, *, registered: bool) -> dict[str, Any]:
    """An estimate as `findings.json` says it; what does not apply is None."""
    interval = estimate.interval
    row: dict[str, Any] = finite(
        {
            "estimand": estimate.estimand,
            "estimator": estimate.estimator,
            "scale": estimate.scale,
            "value": estimate.value,
            "standard_error": estimate.standard_error,
            "interval": None
            if interval is None
            else {
                "low": interval.low,
                "high": interval.high,
                "level": interval.level,
                "kind": interval.kind,
            },
            "p_value": estimate.p_value,
            "df": estimate.df,
            "unit": estimate.unit,
            "units_used": estimate.units_used,
            "clusters_used": estimate.clusters_used,
            "registered": registered,
            "extra": dict(estimate.extra),
        }
    )
    return row


def check_row(check: Check) -> dict[str, Any]:
    """A check as `findings.json` says it; its table goes to the evidence."""
    row: dict[str, Any] = finite(
        {
            "name": check.name,
            "question": check.question,
            "verdict": check.verdict,
            "statistic": check.statistic,
            "note": check.note,
        }
    )
    return row


def finite(node: Any) -> Any:
    """The same content as JSON can say it: numpy scalars made Python's, unbounded ends made None."""
    if isinstance(node, Mapping):
        return {str(key): finite(item) for key, item in node.items()}
    if isinstance(node, (list, tuple)):
        return [finite(item) for item in node]
    if hasattr(node, "tolist"):
        return finite(node.tolist())
    if isinstance(node, float) and not math.isfinite(node):
        return None
    return node


def write_json(path: Path, content: Any) -> str:
    """Write `content` and return the SHA-256 of the bytes written."""
    text = json.dumps(finite(content), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    raw = text.encode()
    path.write_bytes(raw)
    return hashlib.sha256(raw).hexdigest()


def read_findings(folder: Path) -> Findings:
    """The findings in a run's folder, checked against their schema and each other."""
    import jsonschema

    content: dict[str, Any] = {}
    for name in ("findings", "evidence"):
        path = Path(folder) / f"{name}.json"
        if not path.is_file():
            raise FindingsRefused(
                where=str(folder),
                found=f"no {name}.json",
                expected="the folder that `desist run` wrote",
                remedy="Run the study first: desist run STUDY --data DIR --out RUN.",
            )
        try:
            content[name] = json.loads(path.read_bytes())
        except ValueError:
            raise _altered(path, "text that is not JSON") from None
    try:
        jsonschema.validate(content["findings"], json.loads(SCHEMA.read_text()))
    except jsonschema.ValidationError as error:
        at = ".".join(map(str, error.absolute_path)) or "the top level"
        raise _altered(Path(folder) / "findings.json", f"a breach of its schema at {at}") from None
    stated = content["evidence"].get("findings_sha256")
    actual = hashlib.sha256((Path(folder) / "findings.json").read_bytes()).hexdigest()
    if stated != actual:
        raise _altered(Path(folder) / "findings.json", "a content that its evidence does not vouch for")
    return Findings(findings=content["findings"], evidence=content["evidence"])


@cache
def code_fingerprint() -> str:
    """SHA-256 over the package's own source files, by name and content."""
    root = Path(__file__).resolve().parents[1]
    digest = hashlib.sha256()
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*")):
            if path.suffix in (".py", ".yaml", ".json", ".qmd") and path.is_file():
                digest.update(path.relative_to(root).as_posix().encode() + b"\0")
                digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _altered(path: Path, found: str) -> FindingsRefused:
    return FindingsRefused(
        where=str(path),
        found=found,
        expected="the file as `desist run` wrote it",
        remedy="Run the study again; findings are never edited by hand.",
    )
