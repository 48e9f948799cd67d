"""`desist check`: would this study run, and do these data keep their contracts?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from desist.commands.answer import Json, answer


def check(
    study: Annotated[str, typer.Argument(help="A study's id, or the path of its YAML file.")],
    data: Annotated[
        Path | None, typer.Option(help="Folder with one file per table; checked too when given.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Check a study, and with --data its tables and whether every analysis would accept them; no number is shown."""
    from evaluation.deviations import deviation_table, registered_protocol
    from evaluation.run import check_data, plan_study
    from experiments.definitions.definition import PIN, fingerprint
    from experiments.load import find_study

    path = find_study(study)
    plan = plan_study(path)
    protocol = plan.protocol
    definitions = list(
        dict.fromkeys(
            f"{d.id}@{d.version}#{fingerprint(d)[:PIN]}" for found in plan.definitions.values() for d in found
        )
    )
    deviations = deviation_table(registered_protocol(protocol, path), protocol)
    content: dict[str, Any] = {
        "study": protocol.id,
        "status": protocol.registration.status,
        "fingerprint": protocol.fingerprint,
        "analyses": list(protocol.analyses),
        "tables": list(plan.contracts),
        "definitions": definitions,
        "deviations": len(deviations),
    }
    lines = [
        f"{protocol.id}: {protocol.title}",
        f"  status       {protocol.registration.status}",
        f"  fingerprint  {protocol.fingerprint}",
        f"  design       {protocol.design.scheme}, arms {', '.join(protocol.arms)}",
        f"  primary      {protocol.primary_outcome} by {protocol.primary_analysis}",
        f"  analyses     {', '.join(protocol.analyses)}",
        f"  deviations   {len(deviations)} from the registered protocol"
        if protocol.registration.status == "registered"
        else "  deviations   not applicable: nothing was registered",
    ]
    lines += [f"  definition   {pinned}" for pinned in definitions]
    if data is not None:
        tables = check_data(plan, data)
        content["data"] = tables
        lines += [f"  table        {t['name']}: {t['rows']} rows keep the contract" for t in tables]
    else:
        lines.append(
            "  data         not checked, nor whether every analysis would accept them (give --data DIR, or rehearse)"
        )
    answer(content, "\n".join(lines), as_json=as_json)
