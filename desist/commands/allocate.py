"""`desist allocate`: a draw that nobody can have chosen, in steps: commit, draw, enrol, reveal."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from desist.commands.answer import Json, answer


class Step(StrEnum):
    """The steps of a sealed allocation, in their order."""

    commit = "commit"
    draw = "draw"
    enrol = "enrol"
    reveal = "reveal"


def allocate(
    step: Annotated[Step, typer.Argument(help="commit, draw, enrol or reveal, in this order.")],
    folder: Annotated[Path, typer.Argument(help="The folder of this allocation; commit makes it.")],
    study: Annotated[
        str | None, typer.Option(help="commit: the study's id, or the path of its file.")
    ] = None,
    roster: Annotated[
        Path | None,
        typer.Option(
            help="commit: CSV with one row per person or place, pseudonyms only. None for sequential_blocks."
        ),
    ] = None,
    beacon: Annotated[
        str | None,
        typer.Option(help="commit: quicknet, default, or a file with a drand-style beacon's /info answer."),
    ] = None,
    round_number: Annotated[
        int | None,
        typer.Option("--round", help="commit: the future round of the beacon that the seed will come from."),
    ] = None,
    second_party: Annotated[
        str | None, typer.Option(help="commit, instead of a beacon: SHA-256 of a second party's secret.")
    ] = None,
    nonce: Annotated[
        Path | None,
        typer.Option(help="commit: a file of 32 random bytes; drawn by the software where not given."),
    ] = None,
    log: Annotated[
        Path | None,
        typer.Option(
            help="commit: a log of commitments over several studies; FOLDER/commitments.jsonl if not given."
        ),
    ] = None,
    beacon_round: Annotated[
        Path | None, typer.Option(help="draw: the file with the round, as the beacon published it.")
    ] = None,
    secret: Annotated[
        Path | None, typer.Option(help="draw: the file with the second party's secret.")
    ] = None,
    unit: Annotated[str | None, typer.Option(help="enrol: the person's pseudonym.")] = None,
    value: Annotated[
        list[str] | None,
        typer.Option(
            help="enrol: the person's value of a blocking column; once for each, in the design's order."
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="reveal: where to write the proof.")] = None,
    as_json: Json = False,
) -> None:
    """Draw an allocation that nobody can have chosen, and prove it.

    commit FOLDER --study S --roster FILE (--beacon B --round N | --second-party SHA256): bind the roster, the
    design and the protocol, before any draw. Publish the hash it prints, before the round.

    draw FOLDER (--beacon-round FILE | --secret FILE): draw everybody, or open the ledger of enrolments.

    enrol FOLDER --unit ID [--value V ...]: sequential_blocks only; the next person's arm, entered in the ledger
    before it is shown. Publish the head it prints, now and then.

    reveal FOLDER --out FILE: the proof, for `desist verify`.

    The bytes of every file and hash are specified in docs/allocation-format.md.
    """
    from experiments.allocation.folder import Folder

    place = Folder(path=folder)
    match step:
        case Step.commit:
            content, text = _commit(place, study, roster, beacon, round_number, second_party, nonce, log)
        case Step.draw:
            content, text = _draw(place, beacon_round, secret)
        case Step.enrol:
            content, text = _enrol(place, unit, value or [])
        case Step.reveal:
            content, text = _reveal(place, out)
    answer({"step": step.value, **content}, text, as_json=as_json)


def _commit(
    place: Any,
    study: str | None,
    roster: Path | None,
    beacon: str | None,
    round_number: int | None,
    second_party: str | None,
    nonce: Path | None,
    log: Path | None,
) -> tuple[dict[str, Any], str]:
    import secrets
    from datetime import UTC, datetime

    from experiments.allocation import seal
    from experiments.allocation.beacon import find_beacon
    from experiments.allocation.licensed import design_as_json, licensed, sequential_plan
    from experiments.allocation.roster_file import read_roster
    from experiments.load import find_study, load_protocol

    now = datetime.now(UTC).replace(microsecond=0)
    protocol = load_protocol(find_study(_given(study, "--study", "the study's id, or the path of its file")))
    if (beacon is None) == (second_party is None):
        raise typer.BadParameter("give either --beacon with --round, or --second-party")
    if beacon is not None:
        source = find_beacon(beacon)
        if round_number is None:
            soon = source.first_after(now) + 3600 // source.period
            raise typer.BadParameter(f"--beacon needs --round; in an hour from now it will be round {soon}")
        entropy = seal.beacon_round(source, round_number, committed_at=now)
        awaits = f"round {round_number} of {source.name}, published {source.time_of(round_number):%Y-%m-%d %H:%M:%S} UTC"
    else:
        entropy = seal.second_party(second_party or "")
        awaits = "the second party's secret"
    if roster is None:
        plan, canonical = sequential_plan(protocol.design), None
    else:
        plan, canonical = licensed(protocol.design, read_roster(roster, protocol.population.id))
    sealed = seal.commit(
        study=protocol.id,
        protocol=protocol.fingerprint,
        design=design_as_json(protocol.design),
        plan=plan,
        roster=canonical,
        entropy=entropy,
        committed_at=now,
        nonce=secrets.token_bytes(32) if nonce is None else nonce.read_bytes(),
    )
    entry = place.write_commitment(sealed, log)
    units = None if canonical is None else len(canonical.rows)
    content = {
        "study": protocol.id,
        "commitment": sealed.commitment,
        "committed_at": sealed.committed_at,
        "awaits": awaits,
        "units": units,
        "columns": list(plan.columns),
        "log_head": entry.head,
        "public": str(place.path / "commitment.json"),
        "closed": str(place.path / "closed.json"),
    }
    text = "\n".join(
        (
            f"Committed: {sealed.commitment}",
            f"  {'enrolment one at a time' if units is None else f'{units} units'} of {protocol.id}; "
            f"columns kept: {', '.join(plan.columns) or 'none but the id'}",
            f"  awaits     {awaits}",
            f"  log head   {entry.head}",
            f"Publish the commitment (or {place.path / 'commitment.json'}) before that, for instance in the trial's "
            "registration.",
            f"Keep {place.path / 'closed.json'} closed, and a copy of it: without it nothing can be drawn or shown.",
        )
    )
    return content, text


def _draw(place: Any, beacon_round: Path | None, secret: Path | None) -> tuple[dict[str, Any], str]:
    from datetime import UTC, datetime

    from experiments.allocation import seal
    from experiments.allocation.beacon import BeaconRefused, find_beacon_in, read_round, read_secret
    from experiments.allocation.rolling import open_ledger

    sealed = place.read_sealed()
    if (beacon_round is None) == (secret is None):
        raise typer.BadParameter("give either --beacon-round or --secret")
    given = read_secret(secret) if beacon_round is None and secret is not None else read_round(beacon_round)  # type: ignore[arg-type]
    seal.chance_from(sealed.entropy, given)
    if sealed.entropy["kind"] == "beacon":
        falls = find_beacon_in(sealed.entropy).time_of(sealed.entropy["round"])
        if falls > datetime.now(UTC):
            raise BeaconRefused(
                where="draw",
                found=f"a round that is published at {falls:%Y-%m-%d %H:%M:%S} UTC",
                expected="a round that has been published",
                remedy="Wait for it; bytes at hand before then are not the beacon's.",
            )
    place.refuse_second_draw()
    if sealed.roster is None:
        entry = open_ledger(place.enrolments, sealed.commitment)
        place.write_draw(given, None)
        content = {"study": sealed.study, "commitment": sealed.commitment, "ledger_head": entry.head}
        return content, f"Open for enrolment. Ledger head: {entry.head}"
    allocation = seal.draw(sealed, given)
    place.write_draw(given, allocation)
    counts = {arm: sum(drawn == arm for drawn in allocation.values()) for arm in sealed.plan.arms}
    content = {
        "study": sealed.study,
        "commitment": sealed.commitment,
        "units": counts,
        "allocation": str(place.path / "allocation.csv"),
    }
    said = ", ".join(f"{count} {arm}" for arm, count in counts.items())
    return content, f"Drawn: {said}. Written: {place.path / 'allocation.csv'}"


def _enrol(place: Any, unit: str | None, values: list[str]) -> tuple[dict[str, Any], str]:
    from experiments.allocation import seal
    from experiments.allocation.rolling import enrol

    sealed = place.read_sealed()
    chance = seal.chance_from(sealed.entropy, place.read_given())
    entry = enrol(
        place.enrolments,
        seed=sealed.seed(chance),
        commitment=sealed.commitment,
        plan=sealed.plan,
        unit=_given(unit, "--unit", "the person's pseudonym"),
        values=values,
    )
    content = {"entry": entry.place, "arm": entry.body["arm"], "at": entry.at, "ledger_head": entry.head}
    return content, f"Entry {entry.place}: {entry.body['arm']}. Ledger head: {entry.head}"


def _reveal(place: Any, out: Path | None) -> tuple[dict[str, Any], str]:
    from experiments.allocation import seal
    from experiments.allocation.folder import write_proof

    sealed = place.read_sealed()
    target = out or place.path / "proof.json"
    write_proof(target, seal.reveal(sealed, place.read_given()))
    head = None if sealed.roster is not None else place.enrolments.head
    content = {"proof": str(target), "commitment": sealed.commitment, "ledger_head": head}
    said = "" if head is None else f" Ledger head: {head}."
    return (
        content,
        f"Proof: {target}.{said} It holds pseudonyms and arms: give it to the auditor, not to the public.",
    )


def _given(value: str | None, option: str, what: str) -> str:
    if value is None:
        raise typer.BadParameter(f"this step needs {option}: {what}")
    return value
