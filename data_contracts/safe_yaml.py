"""YAML as this house reads it: no objects, no aliases, no duplicate keys, every error with its line.

Aliases and merges are refused outright: nothing here needs them, and nested aliases are how a few hundred
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
SUFFIXES = (".yaml", ".yml")


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

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep=deep)
        except (ValueError, TypeError, AttributeError, KeyError, OverflowError):
            raise UnsafeYaml(
                where=f"{self.name}, line {node.start_mark.line + 1}",
                found="a value that is not what it looks like (a day that no calendar has, or a tag that does not fit)",
                expected="a date, a number or text",
                remedy="Correct the value, or put it in quotes.",
            ) from None

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key_node, _ in node.value:
            if key_node.tag == "tag:yaml.org,2002:merge":
                raise UnsafeYaml(
                    where=f"{self.name}, line {key_node.start_mark.line + 1}",
                    found="a YAML merge (<<)",
                    expected="every value written out",
                    remedy="Write the merged entries in their place.",
                )
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


def _plain_scalars() -> None:
    """`_Loader` reads only true and false as booleans, only plain digits as whole numbers, and no other types.

    YAML 1.1 would read 010 as 8, 12:30 as 750 and 1_000 as 1000: a code or an hour stays the text it is.
    """
    ours = ("tag:yaml.org,2002:bool", "tag:yaml.org,2002:int")
    _Loader.yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in pairs if tag not in ours]
        for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    _Loader.add_implicit_resolver(
        ours[0], re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
    )
    _Loader.add_implicit_resolver(ours[1], re.compile(r"^[-+]?(?:0|[1-9][0-9]*)$"), list("-+0123456789"))
    others = {f"tag:yaml.org,2002:{name}" for name in ("binary", "omap", "pairs", "set")}
    _Loader.yaml_constructors = {
        tag: make for tag, make in yaml.SafeLoader.yaml_constructors.items() if tag not in others
    }


_plain_scalars()


def read_yaml(path: Path) -> Any:
    """The plain dicts, lists and scalars in `path`, whose name ends in .yaml or .yml.

    A data file given in the place of a declaration is never parsed: an error could repeat its rows.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise UnsafeYaml(
            where=str(path),
            found="a file that is not named as YAML",
            expected=f"a file ending in {' or '.join(SUFFIXES)}",
            remedy="Check the order of the arguments: the declaration, then the data.",
        )
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
            found=str(error.problem or error.context or "broken YAML").removeprefix("found "),
            expected="well-formed YAML, without object tags",
            remedy="Compare the indentation and quoting with a study that loads.",
        ) from None
    except RecursionError:
        raise UnsafeYaml(
            where=name,
            found="blocks within blocks, hundreds deep",
            expected="a declaration that a person can read",
            remedy="Check that this is the file you meant.",
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
