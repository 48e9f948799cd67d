"""The release: the one gate between findings and anything printed.

`release` reads a run's findings and evidence, has every item judged by the data owner's policy, and
writes what passed. Posterior draws are not read at all: what is printed of a posterior is in the
findings. What the gate does not know is withheld. A release holds

    release.json    fingerprints, the policy, and a verdict with its reason for every item
    record.json     the protected numbers, with marks where something was withheld
    values.json     every value that a page may look up, as finished text

and nothing else: pages, notebooks and funders see a release, never findings. Derived numbers
(proportions, rates, totals, sentences, alt text) are made from protected numbers only.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data_contracts.disclosure import DisclosurePolicy
from data_contracts.refusal import Refusal
from data_contracts.whole_folder import whole_folder
from reports.gate.absent import with_absent
from reports.gate.checks import judge_checks
from reports.gate.counts import PeopleCounts
from reports.gate.curves import judge_curves
from reports.gate.declared import judge_deviations, judge_protocol, judge_sources, judge_tables
from reports.gate.definitions import judge_definitions, told_apart
from reports.gate.dictionaries import judge_dictionaries
from reports.gate.estimates import judge_estimates
from reports.gate.links import judge_links
from reports.gate.participants import judge_flow, judge_summaries
from reports.gate.secondary import Audit, Suppression
from reports.gate.verdict import Item, Ledger
from reports.neutral import plain_tree

if TYPE_CHECKING:
    from reports.values import Values

FORMAT = 1
RELEASE, RECORD, VALUES = "release.json", "record.json", "values.json"
FINDINGS_KEYS = frozenset(
    {
        "study", "protocol_sha256", "data_sha256", "code", "seed", "registered", "flow", "estimates",
        "checks", "versions",
    }
)  # fmt: skip
EVIDENCE_KEYS = frozenset(
    {
        "study", "findings_sha256", "protocol", "fingerprint", "tables", "primary", "outcomes", "curves",
        "checks", "deviations", "links", "balance", "definitions", "sources",
        "apart",
    }
)  # fmt: skip
OPTIONAL_EVIDENCE = frozenset({"dictionaries"})
"""What evidence of an earlier version does not have."""
_ID = re.compile(r"^[a-z][a-z0-9_]*$")


class ReleaseRefused(Refusal):
    """A release that cannot be made, found or trusted."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Release:
    """A release on disk, read back and checked against its own hashes."""

    folder: Path
    study: str
    title: str
    fingerprint: str
    policy: DisclosurePolicy
    items: tuple[Item, ...]
    record: Mapping[str, Any]
    texts: Mapping[str, str]

    @property
    def values(self) -> Values:
        """What pages look up."""
        from reports.values import Values

        return Values(study=self.study, fingerprint=self.fingerprint, texts=self.texts, record=self.record)

    @property
    def withheld(self) -> tuple[Item, ...]:
        """The items that were kept back, and those that wait for a person's review."""
        return tuple(item for item in self.items if item.verdict != "released")

    def counts(self) -> dict[str, int]:
        """How many items were released, withheld and sent to review."""
        verdicts = ("released", "withheld", "review")
        return {verdict: sum(item.verdict == verdict for item in self.items) for verdict in verdicts}


def release(
    run_dir: Path,
    policy: DisclosurePolicy,
    out: Path,
    *,
    suppress: Sequence[Suppression] = (),
    audits: Sequence[Audit] = (),
    past: Sequence[Path] = (),
) -> Release:
    """Judge everything in `run_dir` by `policy` and write what passed to `out`, whole or not at all."""
    from evaluation.findings import read_findings
    from reports.keys import texts_of

    found = read_findings(Path(run_dir))
    sha = str(found.evidence["findings_sha256"])
    findings, evidence = plain_tree(found.findings), plain_tree(found.evidence)
    forced: dict[str, str] = {}
    record, ledger = judge(findings, evidence, policy, forced)
    for rule in suppress:
        further = dict(rule(record, ledger.items, policy))
        if further:
            forced |= further
            record, ledger = judge(findings, evidence, policy, forced)
    objections = [text for audit in audits for text in audit(record, ledger.items, policy, past)]
    if objections:
        raise ReleaseRefused(
            where=str(run_dir),
            found=f"{len(objections)} objections of the audit: {'; '.join(objections)}",
            expected="a release from which no withheld cell can be worked out",
            remedy="Withhold or coarsen what the audit names; nothing was written.",
        )
    texts = texts_of(record, policy, ledger.items)
    with whole_folder(Path(out), marker=RELEASE) as folder:
        hashes = {name: _write(folder / name, what) for name, what in ((RECORD, record), (VALUES, texts))}
        summary = {
            "format": FORMAT,
            "study": record["study"],
            "title": record["protocol"]["title"],
            "findings_sha256": sha,
            "policy": asdict(policy),
            "files": hashes,
            "items": [asdict(item) for item in ledger.items],
        }
        _write(folder / RELEASE, summary)
    return read_release(Path(out))


def judge(
    findings: Mapping[str, Any],
    evidence: Mapping[str, Any],
    policy: DisclosurePolicy,
    forced: Mapping[str, str],
) -> tuple[dict[str, Any], Ledger]:
    """The protected record and the ledger of verdicts; reads and writes nothing."""
    absent = sorted(EVIDENCE_KEYS - set(evidence))
    if absent:
        raise ReleaseRefused(
            where="evidence.json",
            found=f"no {', '.join(absent)}",
            expected="the evidence as `desist run` wrote it",
            remedy="Run the study again: desist run STUDY --data DIR --out RUN.",
        )
    ledger = Ledger(forced=forced)
    people = PeopleCounts(policy)
    for name, content, known in (
        ("findings", findings, FINDINGS_KEYS),
        ("evidence", evidence, EVIDENCE_KEYS | OPTIONAL_EVIDENCE),
    ):
        for key in sorted(set(content) - known):
            ledger.withhold(f"{name}.{key}", "unknown", "a part that the gate does not know")
    protocol = judge_protocol(evidence["protocol"], ledger)
    outcomes = protocol["outcomes"]
    kinds = {name: outcome["kind"] for name, outcome in outcomes.items()}
    windows = {
        name: outcome["follow_up_days"] / outcome["time_unit_days"]
        for name, outcome in outcomes.items()
        if outcome.get("time_unit_days")
    }
    flow = judge_flow(findings["flow"], people, ledger)
    apart = told_apart(evidence["definitions"], people, evidence["apart"])
    summaries = judge_summaries(evidence["outcomes"], kinds, people, ledger, apart)
    rows = with_absent(findings["estimates"], evidence["definitions"], protocol, evidence["deviations"])
    estimates = judge_estimates(rows, protocol, people, ledger, apart)
    links = judge_links(evidence["links"], people, ledger)
    sha = str(evidence["findings_sha256"])
    record = {
        "study": findings["study"],
        "fingerprint": sha,
        "protocol_sha256": findings["protocol_sha256"],
        "code": findings["code"],
        "data": findings["data_sha256"],
        "seed": findings["seed"],
        "registered": findings["registered"],
        "versions": findings["versions"],
        "protocol": protocol,
        "primary": evidence["primary"],
        "flow": flow,
        "outcomes": summaries,
        "estimates": estimates,
        "curves": judge_curves(evidence["curves"], windows, policy, ledger, apart),
        "checks": judge_checks(findings["checks"], evidence["checks"], links, people, ledger),
        "tables": judge_tables(evidence["tables"], flow, people, ledger),
        "dictionaries": judge_dictionaries(evidence.get("dictionaries", {}), ledger),
        "deviations": judge_deviations(evidence["deviations"], ledger),
        "links": links,
        "sources": judge_sources(evidence["sources"], protocol, ledger),
        "definitions": judge_definitions(evidence["definitions"], kinds, people, ledger, apart),
        "withheld": [
            {"key": item.key, "kind": item.kind, "verdict": item.verdict, "reason": item.reason}
            for item in ledger.items
            if item.verdict != "released"
        ],
    }
    return record, ledger


def read_release(folder: Path) -> Release:
    """A release, refused where a file is missing or does not have the hash that it was written with."""
    folder = Path(folder)
    summary = _read(folder / RELEASE)
    if summary.get("format") != FORMAT or not _ID.match(str(summary.get("study"))):
        raise ReleaseRefused(
            where=str(folder / RELEASE),
            found="a format that this version does not read",
            expected=f"format {FORMAT}",
            remedy="Make the release again: desist release RUN --out REL.",
        )
    for name, sha in summary["files"].items():
        path = folder / Path(name).name
        if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != sha:
            raise ReleaseRefused(
                where=str(path),
                found="a missing or altered file",
                expected="the file as the gate wrote it",
                remedy="Make the release again: desist release RUN --out REL. Releases are never edited.",
            )
    return Release(
        folder=folder,
        study=summary["study"],
        title=summary["title"],
        fingerprint=summary["findings_sha256"],
        policy=DisclosurePolicy(**summary["policy"]),
        items=tuple(Item(**item) for item in summary["items"]),
        record=_read(folder / RECORD),
        texts=_read(folder / VALUES),
    )


def read_releases(folder: Path) -> tuple[Release, ...]:
    """The release in `folder`, or those in the folders inside it, by study; refused where there is none."""
    folder = Path(folder)
    if (folder / RELEASE).is_file():
        return (read_release(folder),)
    found = [read_release(path.parent) for path in sorted(folder.glob(f"*/{RELEASE}"))]
    if not found:
        raise ReleaseRefused(
            where=str(folder),
            found="no release",
            expected="a folder written by `desist release`, or a folder of such folders",
            remedy="Make one with: desist release RUN --out REL, or run `make demo`.",
        )
    if len({r.study for r in found}) != len(found):
        raise ReleaseRefused(
            where=str(folder),
            found="two releases of one study",
            expected="one release for each study",
            remedy="Keep the release that is to be published, and move the other away.",
        )
    return tuple(sorted(found, key=lambda r: r.study))


def _write(path: Path, content: Any) -> str:
    raw = (json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()
    path.write_bytes(raw)
    return hashlib.sha256(raw).hexdigest()


def _read(path: Path) -> Any:
    if not path.is_file():
        raise ReleaseRefused(
            where=str(path),
            found="no file",
            expected="a folder written by `desist release`",
            remedy="Make it with: desist release RUN --out REL, or run `make demo`.",
        )
    try:
        return json.loads(path.read_bytes())
    except ValueError:
        raise ReleaseRefused(
            where=str(path),
            found="text that is not JSON",
            expected="the file as the gate wrote it",
            remedy="Make the release again: desist release RUN --out REL.",
        ) from None
