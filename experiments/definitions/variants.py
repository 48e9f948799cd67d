"""One study under several definitions of its outcome: does the answer depend on what counts?

Each variant of an outcome is the same outcome in another column (`COLUMN__DEFINITION`, as
`definition_columns` makes them), with its own estimand and a sensitivity copy of every analysis that
the original has. The original keeps its role; a definition is never chosen by its result.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from data_contracts.refusal import nearest
from experiments.definitions.definition import Definition, DefinitionRefused
from experiments.protocol import Protocol


def column_of(column: str, definition: str) -> str:
    """The column that holds an outcome under a definition."""
    return f"{column}__{definition}"


def definition_columns(counts: pd.DataFrame, *, column: str, kind: str) -> pd.DataFrame:
    """Outcome columns from (people, definitions) counts: the counts, or 0/1 where `kind` is binary."""
    values = (counts > 0).astype("int64") if kind == "binary" else counts
    return values.rename(columns={name: column_of(column, str(name)) for name in counts.columns})


def with_definitions(protocol: Protocol, outcome: str, definitions: Sequence[Definition]) -> Protocol:
    """The protocol with `outcome` also under each of the definitions, as sensitivity analyses."""
    if outcome not in protocol.outcomes:
        raise DefinitionRefused(
            where="outcomes",
            found=f"'{outcome}'",
            expected="an outcome that the study declares",
            remedy=nearest(outcome, protocol.outcomes),
        )
    original = protocol.outcomes[outcome]
    if original.kind not in ("binary", "count"):
        raise DefinitionRefused(
            where=f"outcomes.{outcome}",
            found=f"a {original.kind} outcome",
            expected="a count of offences, or whether there was any",
            remedy="Definitions choose offences; declare a count or a binary outcome.",
        )
    outcomes, estimands, analyses = dict(protocol.outcomes), dict(protocol.estimands), dict(protocol.analyses)
    for definition in definitions:
        name = column_of(outcome, definition.id)
        outcomes[name] = replace(
            original,
            label=f"{original.label} ({definition.label})",
            role="exploratory" if original.role == "exploratory" else "secondary",
            column=column_of(original.column, definition.id),
            baseline=None,
            time=None,
            time_unit_days=None,
            definition=f"{definition.words} {definition.reading} ({definition.id} {definition.version})",
        )
        for key, estimand in protocol.estimands.items():
            if estimand.outcome == outcome:
                estimands[column_of(key, definition.id)] = replace(estimand, outcome=name)
        for key, analysis in protocol.analyses.items():
            if protocol.estimands[analysis.estimand].outcome == outcome:
                analyses[column_of(key, definition.id)] = replace(
                    analysis, estimand=column_of(analysis.estimand, definition.id), role="sensitivity"
                )
    return replace(protocol, outcomes=outcomes, estimands=estimands, analyses=analyses)
