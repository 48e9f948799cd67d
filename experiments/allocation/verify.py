"""Check a proof: recompute everything, and name whatever was changed.

Each question gets `met`, `not met` or `not assessed`, and one sentence. What could not be compared
(a commitment never published, a beacon round of which the auditor has no copy) is not assessed, and said.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from data_contracts.refusal import Refusal
from experiments.allocation.beacon import Round, find_beacon_in, round_from
from experiments.allocation.canonical import Roster, check_roster, parse
from experiments.allocation.hmac_order import ALGORITHM, FORMAT
from experiments.allocation.ledger import check_head, head_of, read_chain
from experiments.allocation.rolling import check_enrolments
from experiments.allocation.seal import (
    PARTS,
    PROOF,
    Sealed,
    chance_from,
    commitment_of,
    draw,
    read_moment,
)
from experiments.allocation.strata import Plan, plan_from
from experiments.protocol import Protocol

Verdict = Literal["met", "not met", "not assessed"]
_KEYS = {
    "allocation",
    "algorithm",
    "design",
    "format",
    "given",
    "nonce",
    "plan",
    "protocol",
    "record",
    "roster",
}
_WORDS = {
    "committed_at": "time of the commitment",
    "entropy": "source of chance",
    "protocol": "protocol's fingerprint",
    "study": "study's name",
}
_RECORD = {"commitment", "committed_at", "entropy", "format", "leaves", "study"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One question about a proof, and the answer."""

    part: str
    verdict: Verdict
    said: str

    def as_dict(self) -> dict[str, str]:
        """JSON-ready."""
        return {"part": self.part, "verdict": self.verdict, "said": self.said}


class ProofTampered(Refusal):
    """A proof in which something was changed."""

    @classmethod
    def of(cls, findings: tuple[Finding, ...]) -> ProofTampered:
        """The refusal that names the parts that are not met."""
        parts = ", ".join(dict.fromkeys(f.part for f in findings if f.verdict == "not met"))
        return cls(
            where=parts,
            found="what was not committed to, or not drawn",
            expected="a proof in which everything agrees",
            remedy="Each finding above says what differs; ask for the files as they were written.",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What the auditor holds besides the proof; None where they hold nothing to compare with.

    `commitment` is the published hash, or `record` the whole published record; `round` the auditor's own
    copy of the beacon's round; `ledger` the bytes of the ledger, `head` its published head; `protocol`
    the study file, read.
    """

    commitment: str | None = None
    record: Mapping[str, Any] | None = None
    round: Round | None = None
    ledger: bytes | None = None
    head: str | None = None
    protocol: Protocol | None = None


def verify(raw: bytes, published: Published) -> tuple[Finding, ...]:
    """The findings on a proof's bytes; the proof is sound if none is `not met`."""
    try:
        proof = parse(raw[:-1] if raw.endswith(b"\n") else raw, where="proof")
        if not raw.endswith(b"\n"):
            return (_no("file", "the file does not end in a newline: its tail was cut"),)
        sealed = _sealed(proof)
    except Refusal as error:
        return (_no(error.where, f"found {error.found}; expected {error.expected}"),)
    record = proof["record"]
    found = [*_parts(sealed, record), *_commitment(record, published)]
    found.extend(_protocol(sealed, published))
    if not sound(tuple(found)):
        found.append(_open("allocation", "not recomputed, because what it is drawn from was changed"))
        return tuple(found)
    try:
        return (*found, *_drawn(sealed, proof, published))
    except (KeyError, TypeError, ValueError, AttributeError, IndexError):
        return (*found, _no("proof", "contents of another form than a proof has"))


def _drawn(sealed: Sealed, proof: Mapping[str, Any], published: Published) -> list[Finding]:
    """What can be asked once the parts are those committed to: the chance, the arms, the ledger."""
    try:
        given = _given(proof["given"])
        chance = chance_from(sealed.entropy, given)
    except Refusal as error:
        return [_no("given", f"found {error.found}; expected {error.expected}")]
    return [
        *_chance(sealed, given, published),
        _allocation(sealed, given, proof["allocation"]),
        _ledger(sealed, chance, published),
    ]


def sound(findings: tuple[Finding, ...]) -> bool:
    """Whether nothing was found changed."""
    return all(finding.verdict != "not met" for finding in findings)


def _sealed(proof: Any) -> Sealed:
    _keys(proof, _KEYS, "proof")
    _keys(proof["record"], _RECORD, "record")
    _keys(proof["record"]["leaves"], set(PARTS), "record.leaves")
    for name, expected in (("format", PROOF), ("record.format", FORMAT), ("algorithm", ALGORITHM)):
        value = proof["record"]["format"] if name == "record.format" else proof[name]
        if value != expected:
            raise _malformed(name, "another version", f"'{expected}'")
    record, roster = proof["record"], None
    if proof["roster"] is not None:
        _keys(proof["roster"], {"columns", "rows"}, "roster")
        try:
            roster = Roster(
                columns=tuple(proof["roster"]["columns"]),
                rows=tuple(tuple(row) for row in proof["roster"]["rows"]),
            )
        except TypeError:
            raise _malformed("roster", "rows of another form", "lists of text") from None
        check_roster(roster)
    try:
        nonce = bytes.fromhex(proof["nonce"])
    except (TypeError, ValueError):
        raise _malformed("nonce", "text that is not hexadecimal", "64 hexadecimal digits") from None
    if not isinstance(proof["design"], dict) or not isinstance(record["entropy"], dict):
        raise _malformed("design", "no block", "the design as declared")
    return Sealed(
        study=record["study"],
        protocol=proof["protocol"],
        design=proof["design"],
        plan=plan_from(proof["plan"]),
        roster=roster,
        committed_at=record["committed_at"],
        entropy=record["entropy"],
        nonce=nonce,
        algorithm=proof["algorithm"],
    )


def _parts(sealed: Sealed, record: Mapping[str, Any]) -> list[Finding]:
    leaves = record["leaves"]
    if sealed.leaf("nonce") != leaves["nonce"]:
        said = "the nonce, or its leaf, is not the one committed to; without it no part can be opened"
        return [_no("nonce", said)]
    wrong = [name for name in PARTS if sealed.leaf(name) != leaves[name]]
    return [_no(name, f"the {_WORDS.get(name, name)} is not the one committed to") for name in wrong] or [
        _yes("parts", f"the nonce opens all {len(PARTS)} parts of the record")
    ]


def _commitment(record: Mapping[str, Any], published: Published) -> list[Finding]:
    out: list[Finding] = []
    if commitment_of(record) != record["commitment"]:
        out.append(_no("record", "the record was changed after its commitment was made: the hash differs"))
    expected = published.commitment
    if published.record is not None:
        theirs = published.record
        expected = commitment_of(theirs)
        for key in sorted(_RECORD - {"commitment", "leaves"}):
            if theirs.get(key) != record[key]:
                out.append(_no(key, "differs from the published record"))
        leaves = theirs.get("leaves", {})
        wrong = [name for name in PARTS if leaves.get(name) != record["leaves"][name]]
        for name in ["nonce"] if "nonce" in wrong else wrong:
            out.append(_no(name, "its leaf differs from the published record's"))
    if expected is None:
        out.append(
            _open(
                "published",
                "no published commitment to compare with: somebody could have committed after the draw",
            )
        )
    elif expected.lower() != record["commitment"]:
        out.append(_no("published", "the commitment is not the one that was published"))
    else:
        out.append(_yes("published", "the commitment is the one that was published"))
    return out


def _protocol(sealed: Sealed, published: Published) -> list[Finding]:
    """The study file against the fingerprint, and the plan against the study's design."""
    if published.protocol is None:
        return [
            _open("protocol", "no study file to compare the fingerprint with"),
            _open("plan", "no study file to see whether its design asks for this plan"),
        ]
    if published.protocol.fingerprint != sealed.protocol:
        return [_no("protocol", "the study file's fingerprint is not the one committed to")]
    same = _yes("protocol", "the study file is the one committed to")
    try:
        design, plan = _asked(published.protocol, sealed)
    except Refusal as error:
        return [same, _no("plan", f"{error.where}: found {error.found}; expected {error.expected}")]
    if design != dict(sealed.design):
        return [same, _no("design", "the design that was committed to is not the study file's")]
    if plan != sealed.plan:
        return [same, _no("plan", "the plan that was committed to is not what the study's design asks for")]
    return [same, _yes("plan", "the plan is what the study's design asks for on this roster")]


def _asked(protocol: Protocol, sealed: Sealed) -> tuple[dict[str, Any], Plan]:
    """The design, and the plan that it asks for, by the study file."""
    from experiments.allocation.licensed import design_as_json, licensed, sequential_plan

    design = design_as_json(protocol.design)
    if sealed.roster is None:
        return design, sequential_plan(protocol.design)
    return design, licensed(protocol.design, sealed.roster.as_frame())[0]


def _chance(sealed: Sealed, given: Round | bytes, published: Published) -> list[Finding]:
    if not isinstance(given, Round):
        return [_yes("chance", "the second party's secret has the hash that they gave before the commitment")]
    try:
        falls = find_beacon_in(sealed.entropy).time_of(given.number)
    except Refusal:
        return [_no("beacon", "the beacon's genesis, period and keys do not give its chain hash")]
    out = []
    if falls <= read_moment(sealed.committed_at):
        out.append(_no("beacon", "the round was published at or before the commitment"))
    else:
        out.append(_yes("beacon", f"round {given.number} was published after the commitment"))
    if published.round is None:
        out.append(_open("round", "no copy of the beacon's round of your own: fetch it and compare"))
    elif published.round.as_json() != given.as_json():
        out.append(_no("round", "the round differs from your own copy of it"))
    else:
        out.append(_yes("round", "the round is the one in your own copy"))
    return out


def _allocation(sealed: Sealed, given: Round | bytes, stated: Any) -> Finding:
    if sealed.roster is None:
        if stated is None:
            return _yes("allocation", "people were enrolled one at a time; the ledger holds their arms")
        return _no("allocation", "arms are stated for a design that enrols one at a time")
    arm = draw(sealed, given)
    expected = [[unit, arm[unit]] for unit in sorted(arm, key=str.encode)]
    if stated == expected:
        return _yes("allocation", f"the draw gives all {len(expected)} units the arms stated")
    if not isinstance(stated, list) or len(stated) != len(expected):
        count = len(stated) if isinstance(stated, list) else 0
        return _no(
            "allocation",
            f"{count} units are stated and {len(expected)} were drawn: the list was cut or padded",
        )
    if sorted(map(str, stated)) == sorted(map(str, expected)):
        return _no("allocation", "the right arms in another order")
    rows = [place for place, (a, b) in enumerate(zip(stated, expected, strict=True), start=1) if a != b]
    shown = ", ".join(map(str, rows[:5])) + (", ..." if len(rows) > 5 else "")
    return _no("allocation", f"{len(rows)} units are not in the arm that the draw gives them (rows {shown})")


def _ledger(sealed: Sealed, chance: bytes, published: Published) -> Finding:
    if published.ledger is None:
        if sealed.roster is None:
            return _open("ledger", "no ledger given: the enrolments were not checked")
        return _open("ledger", "none given, and none needed: everybody was drawn at once")
    try:
        entries, torn = read_chain(published.ledger)
        people = check_enrolments(
            entries, seed=sealed.seed(chance), commitment=sealed.commitment, plan=sealed.plan
        )
        added = None if published.head is None else check_head(entries, published.head)
    except Refusal as error:
        return _no("ledger", f"{error.where}: found {error.found}; expected {error.expected}")
    unfinished = f", {len(torn)} bytes of an unfinished line after them" if torn else ""
    said = f"{len(entries)} entries in an unbroken chain{unfinished}; {people} people in the arms that the seal gives"
    if added is None:
        return _open(
            "ledger",
            f"{said}; no published head to show that its tail was not cut (it is {head_of(entries)})",
        )
    return _yes("ledger", f"{said}; {added} entries since the published head")


def _given(content: Any) -> Round | bytes:
    if isinstance(content, dict) and set(content) == {"round", "randomness", "signature"}:
        return round_from(content)
    try:
        return bytes.fromhex(content["secret"])
    except (TypeError, KeyError, ValueError):
        raise _malformed("given", "neither a round nor a secret", "what the seed was drawn from") from None


def _keys(block: Any, expected: set[str], where: str) -> None:
    if not isinstance(block, dict) or set(block) != expected:
        raise _malformed(where, "other keys", ", ".join(sorted(expected)))


def _malformed(where: str, found: str, expected: str) -> Refusal:
    return Refusal(where=where, found=found, expected=expected, remedy="Fetch the original.")


def _yes(part: str, said: str) -> Finding:
    return Finding(part=part, verdict="met", said=said)


def _no(part: str, said: str) -> Finding:
    return Finding(part=part, verdict="not met", said=said)


def _open(part: str, said: str) -> Finding:
    return Finding(part=part, verdict="not assessed", said=said)
