"""`desist monitor`: a study's stopping rule and pilot criteria, and the record of looks taken under them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from desist.commands.answer import Json, answer


def monitor(
    study: Annotated[str, typer.Argument(help="A study's id, or the path of its YAML file.")],
    data: Annotated[
        Path | None,
        typer.Option(help="The study's data folder, where looks.jsonl is kept; needed to record."),
    ] = None,
    amount: Annotated[
        float | None, typer.Option(help="Record a look: information so far, in the plan's measure.")
    ] = None,
    estimate: Annotated[
        float | None,
        typer.Option(help="Record a look: the estimate, on the analysis's scale (log for ratios)."),
    ] = None,
    standard_error: Annotated[float | None, typer.Option(help="Record a look: its standard error.")] = None,
    final: Annotated[
        bool, typer.Option("--final", help="Record a look: this is the final analysis.")
    ] = False,
    pilot: Annotated[
        list[str] | None,
        typer.Option(help="Record the pilot: NAME=COUNT/OUT_OF, once for every criterion declared."),
    ] = None,
    level: Annotated[float, typer.Option(help="Level of the pilot's exact intervals.")] = 0.95,
    as_json: Json = False,
) -> None:
    """Show when a study stops, or record a look and say whether it does.

    Without further options: the bounds at the planned looks, the error spent, and what the rule promises. With --amount,
    --estimate and --standard-error: the look is entered in DATA/looks.jsonl with the decision of the declared rule.
    """
    from experiments.load import find_study, load_protocol
    from experiments.monitoring.declared import MonitoringRefused

    protocol = load_protocol(find_study(study))
    plan = protocol.monitoring
    if plan is None:
        raise MonitoringRefused(
            where="monitoring",
            found="nothing in this study",
            expected="a `monitoring:` block with a stopping rule or pilot criteria",
            remedy="A study that will be looked at early declares it before it starts.",
        )
    look = (amount, estimate, standard_error)
    if pilot and any(value is not None for value in look):
        raise typer.BadParameter("record the pilot and a look one after the other")
    if pilot:
        content, text = _pilot(protocol, _folder(data), pilot, level)
    elif all(value is not None for value in look):
        content, text = _look(protocol, _folder(data), look, final)
    elif any(value is not None for value in look) or final:
        raise typer.BadParameter("a look needs --amount, --estimate and --standard-error")
    else:
        content, text = _shown(protocol)
    answer({"study": protocol.id, **content}, text, as_json=as_json)


def _shown(protocol: Any) -> tuple[dict[str, Any], str]:
    from experiments.monitoring.summary import promises

    found = promises(protocol.monitoring, towards=_towards(protocol))
    lines = [f"{protocol.id}: monitoring of {protocol.monitoring.analysis or 'the pilot only'}"]
    for row in found.get("bounds", []):
        low = "" if row["lower"] is None else f"   lower {row['lower']:8.4f}"
        lines.append(
            f"  look {row['look']} at {row['fraction']:.4f}   upper {row['upper']:8.4f}{low}"
            + (f"   spent {row['spent']:.6f}" if "spent" in row else "")
        )
    lines += [f"  {name.replace('_', ' ')}: {value:.4f}" for name, value in found.get("promises", {}).items()]
    for name, row in found.get("pilot", {}).items():
        lines.append(
            f"  pilot {name}: green {row['green']:g}, red {row['red']:g} ({row['better']} is better)"
        )
    return found, "\n".join(lines)


def _look(
    protocol: Any, folder: Path, look: tuple[float | None, ...], final: bool
) -> tuple[dict[str, Any], str]:
    from experiments.allocation.ledger import Ledger
    from experiments.monitoring.record import FILE, Look, check_look, record_look

    amount, estimate, error = (float(value) for value in look if value is not None)
    taken = Look(amount=amount, estimate=estimate, standard_error=error, final=final)
    check_look(taken)
    entry, said = record_look(
        Ledger(path=folder / FILE),
        protocol.monitoring,
        taken,
        towards=_towards(protocol),
        fingerprint=protocol.fingerprint,
    )
    content = {"decision": dict(said), "entry": entry.place, "ledger_head": entry.head}
    return content, f"{str(said['action']).capitalize()}. Entered as {entry.place}; head {entry.head}"


def _pilot(protocol: Any, folder: Path, given: list[str], level: float) -> tuple[dict[str, Any], str]:
    from experiments.allocation.ledger import Ledger
    from experiments.monitoring.record import FILE, record_pilot

    counts: dict[str, tuple[int, float]] = {}
    for item in given:
        name, _, numbers = item.partition("=")
        count, _, out_of = numbers.partition("/")
        try:
            counts[name] = (int(count), float(out_of))
        except ValueError:
            raise typer.BadParameter(f"'{item}' is not NAME=COUNT/OUT_OF") from None
    entry, judged, advice = record_pilot(
        Ledger(path=folder / FILE),
        protocol.monitoring,
        counts,
        level=level,
        fingerprint=protocol.fingerprint,
    )
    rows = {
        name: {
            "colour": r.colour,
            "count": r.count,
            "out_of": r.out_of,
            "value": r.value,
            "low": r.low,
            "high": r.high,
            "p_value": r.p_value,
            "better_than_red": r.better_than_red,
        }
        for name, r in judged.items()
    }
    lines = [
        f"  {row['colour']:<6} {name}: {row['count']} of {row['out_of']:g} = {row['value']:.4f} "
        f"({row['low']:.4f} to {row['high']:.4f})"
        for name, row in rows.items()
    ]
    content = {"advice": advice, "criteria": rows, "entry": entry.place, "ledger_head": entry.head}
    return content, "\n".join([f"{advice.capitalize()}. Entered as {entry.place}; head {entry.head}", *lines])


def _towards(protocol: Any) -> int:
    """1 where a higher outcome is better in the monitored analysis, -1 where a lower is."""
    if protocol.monitoring.analysis is None:
        return 1
    estimand = protocol.estimands[protocol.analyses[protocol.monitoring.analysis].estimand]
    return 1 if protocol.outcomes[estimand.outcome].better == "higher" else -1


def _folder(data: Path | None) -> Path:
    if data is None:
        raise typer.BadParameter("recording needs --data, the study's data folder")
    return data
