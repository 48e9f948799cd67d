"""A small contract as text, to be spoilt by the tests one line at a time."""

from __future__ import annotations

from textwrap import dedent

SMALL = dedent(
    """\
    apiVersion: v3.1.0
    kind: DataContract
    id: small
    version: 1.2.3
    status: active
    name: A small table
    description: {purpose: To be spoilt.}
    slaProperties:
    - {property: retention, value: 2, unit: y}
    customProperties:
    - {property: controller, value: nobody}
    - {property: lawfulBasis, value: a test}
    - {property: vintage, value: {provisional: false, extracted: '2026-01-31'}}
    schema:
    - name: small
      dataGranularityDescription: one person
      quality:
      - {name: the end is not before the start, type: custom, engine: desist, implementation: missing(left) or left >= came}
      properties:
      - name: person
        primaryKey: true
        logicalType: string
        required: true
        unique: true
        description: Who.
        classification: quasi_identifier
        customProperties:
        - {property: unit, value: pseudonym}
        - {property: disclosureRole, value: count_unit}
      - name: came
        logicalType: date
        required: true
        description: First day.
        classification: sensitive_other
        logicalTypeOptions: {format: dd/MM/yyyy, minimum: '2000-01-01'}
        customProperties:
        - {property: unit, value: date}
        - {property: disclosureRole, value: never_published}
      - name: left
        logicalType: date
        description: Last day.
        classification: sensitive_other
        logicalTypeOptions: {format: dd/MM/yyyy, minimum: '2000-01-01'}
        customProperties:
        - {property: unit, value: date}
        - {property: disclosureRole, value: never_published}
        - {property: missingCodes, value: {'-9': still here}}
      - name: visits
        logicalType: integer
        description: How often.
        classification: sensitive_other
        logicalTypeOptions: {minimum: 0}
        customProperties:
        - {property: unit, value: visits}
        - {property: disclosureRole, value: magnitude}
    """
)


def with_layout(layout: str, text: str = SMALL) -> str:
    """The contract with a layout block, given as YAML flow text."""
    return text.replace(
        "- {property: lawfulBasis", f"- {{property: layout, value: {layout}}}\n- {{property: lawfulBasis"
    )
