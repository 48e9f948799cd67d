"""`desist release`: the gate between findings and anything printed."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from desist.commands.answer import Json, answer


def release(
    run: Annotated[Path, typer.Argument(help="The folder that `desist run` wrote.")],
    out: Annotated[Path, typer.Option(help="Folder to write: only what may be published.")],
    policy: Annotated[
        str, typer.Option(help="The data owner's disclosure policy: a YAML file, or default, or open_data.")
    ] = "default",
    as_json: Json = False,
) -> None:
    """Pass or withhold every number by the disclosure policy, with the reasons on record."""
    from data_contracts.disclosure import load_policy
    from desist.progress import Progress
    from reports.release import release as release_run

    rules = load_policy(policy)
    with Progress() as progress:
        progress("judging every number by the disclosure policy")
        released = release_run(run, rules, out)
    counts = released.counts()
    reasons = Counter(item.reason for item in released.withheld)
    lines = [
        f"{released.study}: {counts['released']} items released, {counts['withheld']} withheld, "
        f"{counts['review']} for a person's review; written to {out}",
        *(f"  {number:>4}  {reason}" for reason, number in reasons.most_common()),
    ]
    answer(
        {"study": released.study, "out": str(out), **counts, "reasons": dict(reasons)},
        "\n".join(lines),
        as_json=as_json,
    )
