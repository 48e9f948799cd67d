"""`desist verify`: was this allocation drawn as committed, and has anything been changed since?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from desist.commands.answer import Json, answer


def verify(
    proof: Annotated[Path, typer.Argument(help="The proof that `desist allocate reveal` wrote.")],
    published: Annotated[
        str | None,
        typer.Option(
            help="The commitment as it was published: its 64 digits, or the commitment.json of that day."
        ),
    ] = None,
    study: Annotated[
        str | None, typer.Option(help="The study's id or file, to compare its fingerprint.")
    ] = None,
    beacon_round: Annotated[
        Path | None, typer.Option(help="Your own copy of the beacon's round, from its public record.")
    ] = None,
    ledger: Annotated[Path | None, typer.Option(help="The ledger of enrolments (enrolments.jsonl).")] = None,
    head: Annotated[
        str | None, typer.Option(help="The ledger's head as it was published, such as 12:3fa9...")
    ] = None,
    as_json: Json = False,
) -> None:
    """Recompute a sealed allocation from its proof, and name whatever was changed.

    What cannot be compared because you hold nothing to compare it with is `not assessed`, not `met`. Leaves with
    1 if anything was changed.
    """
    from experiments.allocation.auditor import holdings, read_bytes
    from experiments.allocation.verify import ProofTampered, sound
    from experiments.allocation.verify import verify as questions

    findings = questions(
        read_bytes(proof),
        holdings(published=published, study=study, beacon_round=beacon_round, ledger=ledger, head=head),
    )
    good = sound(findings)
    width = max(len(finding.part) for finding in findings)
    lines = [f"{finding.verdict:<12}  {finding.part:<{width}}  {finding.said}" for finding in findings]
    lines.append("Nothing was found changed." if good else "This is not what was committed.")
    content = {
        "sound": good,
        "complete": all(finding.verdict == "met" for finding in findings),
        "findings": [finding.as_dict() for finding in findings],
    }
    answer(content, "\n".join(lines), as_json=as_json)
    if not good and as_json:
        raise typer.Exit(1)
    if not good:
        raise ProofTampered.of(findings)
