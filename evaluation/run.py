"""Run a study: read, check, build samples, estimate, check, and write the findings whole."""

from __future__ import annotations

import hashlib
import json
import platform
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from data_contracts.dictionary import contract_dictionary
from data_contracts.read import CheckedTable, find_contract
from data_contracts.read_folder import read_folder
from data_contracts.whole_folder import whole_folder
from evaluation.analyse import analyse, rehearse
from evaluation.apart import outcomes_apart
from evaluation.build_sample import build_sample
from evaluation.definitions import definition_evidence
from evaluation.derived import with_derived
from evaluation.describe import outcome_summaries, participant_flow, survival_curves
from evaluation.deviations import (
    deviation_table,
    exploratory_analyses,
    late_definitions,
    registered_protocol,
)
from evaluation.estimate import Check
from evaluation.findings import Findings, check_row, code_fingerprint, finite, write_json
from evaluation.links import link_audit, link_checks, stranger_checks
from evaluation.missing import complete_case
from evaluation.plan import Plan, make_plan
from evaluation.registered_first import registered_first
from evaluation.roster import Roster, build_roster
from experiments.load import dump, load_protocol
from experiments.protocol import Protocol, declared
from experiments.seeds import stream

Progress = Callable[[str], None]
RECORDED = (
    "desist", "numpy", "pandas", "scipy", "statsmodels", "linearmodels", "lifelines", "pymc", "nutpie",
    "arviz", "pandera", "dowhy",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Result:
    """A finished run in memory: the findings, and posterior draws by analysis."""

    protocol: Protocol
    findings: Findings
    draws: Mapping[str, np.ndarray[Any, Any]]


def silent(_: str) -> None:
    """Report nothing."""


def plan_study(study_file: Path) -> Plan:
    """The plan of a study, with its contracts found beside it or among the feeds; reads no data."""
    protocol = load_protocol(study_file)
    contracts = {name: find_contract(name, beside=study_file.parent) for name in protocol.tables}
    return make_plan(protocol, contracts, beside=study_file.parent)


def check_data(plan: Plan, data: Path) -> list[dict[str, Any]]:
    """Read and check every table and rehearse every analysis, keeping no number; a row per table."""
    tables = read_folder(plan.contracts, data, acknowledged=plan.protocol.recording_breaks)
    roster = _roster(plan, tables)
    rehearse(plan, tables, roster)
    return [_table_row(name, table) for name, table in tables.items()]


def run_study(study_file: Path, data: Path, *, progress: Progress = silent) -> Result:
    """Everything from the study file to findings, in memory; writes nothing."""
    plan = plan_study(study_file)
    protocol = plan.protocol
    deviations = deviation_table(registered_protocol(protocol, study_file), protocol)
    progress("reading and checking the data")
    tables = read_folder(plan.contracts, data, acknowledged=plan.protocol.recording_breaks)
    roster = _roster(plan, tables)
    estimates, draws = analyse(
        plan,
        tables,
        roster,
        exploratory=exploratory_analyses(deviations),
        late=late_definitions(deviations),
        looks=data,
        progress=progress,
    )
    progress("checks")
    links = link_audit(protocol, tables, roster)
    checks = [
        *_checks(plan, tables, roster),
        *link_checks(protocol, links),
        *stranger_checks(protocol, tables, roster),
        *registered_first(protocol, tables),
    ]
    primary = _sample(plan, protocol.primary_analysis, tables, roster)
    findings = {
        "study": protocol.id,
        "protocol_sha256": protocol.fingerprint,
        "data_sha256": {name: table.sha256 for name, table in tables.items()},
        "code": code_fingerprint(),
        "seed": protocol.seed,
        "registered": protocol.registration.status == "registered",
        "flow": participant_flow(
            protocol,
            roster,
            primary,
            complete_case(primary, plan.estimators[protocol.primary_analysis].needs),
        ),
        "estimates": estimates,
        "checks": [check_row(check) for check in checks],
        "versions": versions(),
    }
    first = protocol.analyses[protocol.primary_analysis]
    evidence = {
        "study": protocol.id,
        "protocol": declared(protocol),
        "fingerprint": protocol.fingerprint,
        "primary": {
            "outcome": protocol.primary_outcome,
            "estimand": first.estimand,
            "analysis": protocol.primary_analysis,
        },
        "tables": [_table_row(name, table) for name, table in tables.items()],
        "dictionaries": {name: contract_dictionary(found) for name, found in plan.contracts.items()},
        "outcomes": outcome_summaries(protocol, tables, roster),
        "curves": survival_curves(protocol, tables, roster),
        "checks": {check.name: [dict(row) for row in check.rows] for check in checks},
        "balance": next(([dict(r) for r in c.rows] for c in checks if c.name == "balance"), []),
        "deviations": deviations,
        "links": links,
        "sources": {name: list(protocol.tables_of(name)) for name in protocol.outcomes},
        "definitions": definition_evidence(plan, tables, roster),
        "apart": outcomes_apart(plan, tables, roster),
    }
    return Result(
        protocol=protocol,
        findings=Findings(findings=finite(findings), evidence=finite(_dated(evidence))),
        draws=draws,
    )


def write_run(result: Result, out: Path, *, started: float) -> Path:
    """Write a run's folder whole: findings, evidence, protocol, draws, and `run.json` with times."""
    with whole_folder(out, marker="findings.json") as folder:
        sha = write_json(folder / "findings.json", result.findings.findings)
        write_json(folder / "evidence.json", {**result.findings.evidence, "findings_sha256": sha})
        (folder / "protocol.yaml").write_text(dump(result.protocol), encoding="utf-8")
        (folder / "draws").mkdir()
        for analysis, values in result.draws.items():
            name = hashlib.sha256(f"{sha}\0{analysis}".encode()).hexdigest()[:16]
            np.save(folder / "draws" / f"{name}.npy", values, allow_pickle=False)
        seconds = round(time.time() - started, 3)
        machine = {
            "finished": datetime.now(UTC).isoformat(timespec="seconds"),
            "seconds": seconds,
            "platform": platform.platform(),
            "python": sys.version.split()[0],
            "findings_sha256": sha,
        }
        (folder / "run.json").write_text(json.dumps(machine, indent=1) + "\n", encoding="utf-8")
    return out


def versions() -> dict[str, str]:
    """The versions of what computed the numbers."""
    found = {"python": platform.python_version()}
    for name in RECORDED:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _checks(plan: Plan, tables: Mapping[str, CheckedTable], roster: Roster) -> list[Check]:
    protocol = plan.protocol
    analysis = protocol.analyses[protocol.primary_analysis]
    sample = build_sample(protocol, analysis, tables, roster, where="baseline", covariates=protocol.baseline)
    return [check(sample, stream(protocol.seed, "check", name)) for name, check in plan.checks.items()]


def _roster(plan: Plan, tables: Mapping[str, CheckedTable]) -> Roster:
    """The roster with every outcome that is derived."""
    roster = build_roster(plan.protocol, tables)
    return with_derived(plan.protocol, tables, roster, plan.definitions)


def _sample(plan: Plan, name: str, tables: Mapping[str, CheckedTable], roster: Roster) -> Any:
    analysis = plan.protocol.analyses[name]
    return build_sample(plan.protocol, analysis, tables, roster, where=f"analyses.{name}")


def _table_row(name: str, table: CheckedTable) -> dict[str, Any]:
    return {
        "name": name,
        "grain": table.contract.grain,
        "rows": len(table.frame),
        "sha256": table.sha256,
        "source": table.source,
        "extracted": None if table.extracted is None else table.extracted.isoformat(),
        "provisional": table.provisional,
        "controller": table.contract.controller,
    }


def _dated(node: Any) -> Any:
    """Dates as ISO text, for JSON."""
    if isinstance(node, Mapping):
        return {key: _dated(item) for key, item in node.items()}
    if isinstance(node, (list, tuple)):
        return [_dated(item) for item in node]
    return node.isoformat() if hasattr(node, "isoformat") else node
