"""YAML as this house reads it: no objects, no aliases, no duplicate keys, every error with its line.

Aliases are refused outright: nothing here needs them, and nested aliases are how a few hundred
bytes grow into gigabytes. Dates come out as `datetime.date`, fractions stay text until a type
asks for them, and `yes`/`no`/`on`/`off` stay text (YAML 1.2), so that an arm may be called `no`.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from data_contracts.refusal import Refusal

MAX_BYTES = 2_000_000


class UnsafeYaml(Refusal):
    """A YAML file that this house does not read."""


class _Loader(yaml.SafeLoader):
    """SafeLoader that also refuses aliases and duplicate keys."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.events.AliasEvent):
            event = self.peek_event()  # type: ignore[no-untyped-call]
            raise UnsafeYaml(
                where=f"{self.name}, line {event.start_mark.line + 1}",
                found="a YAML alias (*name)",
                expected="every value written out",
                remedy="Write the repeated value in full.",
            )
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key_node, _ in node.value:
            key = str(key_node.value)
            if key in seen:
                raise UnsafeYaml(
                    where=f"{self.name}, line {key_node.start_mark.line + 1}",
                    found=f"the key '{key}' a second time",
                    expected="each key once in its block",
                    remedy="Remove one of the two; which one was meant is not for the software to guess.",
                )
            seen.add(key)
        return super().construct_mapping(node, deep=deep)


def _plain_booleans() -> None:
    """Only true and false are booleans in `_Loader`, as in YAML 1.2."""
    resolvers = {
        first: [(tag, pattern) for tag, pattern in pairs if tag != "tag:yaml.org,2002:bool"]
        for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    _Loader.yaml_implicit_resolvers = resolvers
    _Loader.add_implicit_resolver(
        "tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
    )


_plain_booleans()


def read_yaml(path: Path) -> Any:
    """The plain dicts, lists and scalars in `path`."""
    if not path.is_file():
        raise UnsafeYaml(
            where=str(path),
            found="no file",
            expected="a YAML file",
            remedy="Check the path and its spelling.",
        )
    raw = path.read_bytes()
    if len(raw) > MAX_BYTES:
        raise UnsafeYaml(
            where=str(path),
            found=f"{len(raw):,} bytes",
            expected=f"at most {MAX_BYTES:,}",
            remedy="Check that this is the declaration, not the data.",
        )
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnsafeYaml(
            where=str(path),
            found=f"bytes that are not UTF-8, from byte {error.start}",
            expected="UTF-8 text",
            remedy="Save the file as UTF-8.",
        ) from None
    return parse_yaml(text, name=path.name)


def parse_yaml(text: str, *, name: str) -> Any:
    """The plain dicts, lists and scalars in `text`; `name` is what errors call it."""
    loader: _Loader | None = None
    try:
        loader = _Loader(text)
        loader.name = name
        return loader.get_single_data()
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise UnsafeYaml(
            where=f"{name}{line}",
            found=str(error.problem or error.context or "broken YAML"),
            expected="plain YAML without object tags",
            remedy="Compare the indentation and quoting with a study that loads.",
        ) from None
    except yaml.YAMLError:
        raise UnsafeYaml(
            where=name,
            found="characters that YAML does not allow",
            expected="UTF-8 text",
            remedy="Check that this is a text file.",
        ) from None
    finally:
        if loader is not None:
            loader.dispose()
