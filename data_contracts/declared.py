"""Plain dictionaries to frozen dataclasses and back, strictly and exactly.

The type hints of a dataclass are its grammar. `build` refuses an unknown key with its path and the
nearest spelling, a missing key with its choices, and a value of the wrong type; it never coerces
(a quoted number is not a number). `plain` is its inverse: `build(cls, plain(x)) == x`.
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Mapping
from datetime import date, datetime
from difflib import get_close_matches
from fractions import Fraction
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from data_contracts.refusal import Refusal, nearest

LONGEST = 80
"""Characters of a wrong value that an error repeats."""


class Undeclarable(Refusal):
    """A declaration that does not say what its type asks for; `parts` are its errors where it has several."""

    parts: tuple[Undeclarable, ...] = ()


def build[T](cls: type[T], node: Any, *, path: str) -> T:
    """An instance of the dataclass `cls` from a dictionary; `path` prefixes every error."""
    mapping = _mapping(node, path)
    fields = {f.name: f for f in dataclasses.fields(cls) if f.init}  # type: ignore[arg-type]
    unknown = [key for key in mapping if key not in fields]
    wrong = [
        Undeclarable(
            where=_join(path, key),
            found="a key that means nothing here",
            expected=f"keys of {cls.__name__}",
            remedy=nearest(key, fields),
        )
        for key in unknown
    ]
    hints = get_type_hints(cls)
    given: dict[str, Any] = {}
    for name, field in fields.items():
        if name in mapping:
            try:
                given[name] = read(hints[name], mapping[name], path=_join(path, name))
            except Undeclarable as error:
                wrong += error.parts or (error,)
        elif (
            field.default is dataclasses.MISSING
            and field.default_factory is dataclasses.MISSING
            and not get_close_matches(name, unknown, n=1, cutoff=0.5)  # then it is told as misspelt
        ):
            wrong.append(
                Undeclarable(
                    where=_join(path, name),
                    found="nothing",
                    expected=describe(hints[name]),
                    remedy="Write it: no default hides this choice.",
                )
            )
    if wrong:
        raise _together(wrong, path)
    try:
        return cls(**given)
    except Refusal as error:
        raise type(error)(
            where=_prefix(path, error.where),
            found=error.found,
            expected=error.expected,
            remedy=error.remedy,
        ) from None


def _together(wrong: list[Undeclarable], path: str) -> Undeclarable:
    """One error for all that is wrong in a block."""
    if len(wrong) == 1:
        return wrong[0]
    listed = "; ".join(f"{each.where}: found {each.found}, expected {each.expected}" for each in wrong)
    error = Undeclarable(
        where=path or "the file",
        found=f"{len(wrong)} entries to correct: {listed}",
        expected="every key known, every value of its type",
        remedy=" ".join(dict.fromkeys(each.remedy for each in wrong)),
    )
    error.parts = tuple(wrong)
    return error


def read(hint: Any, node: Any, *, path: str) -> Any:
    """`node` as the type `hint` asks for."""
    origin, args = get_origin(hint), get_args(hint)
    if hint is Any or hint is object:
        return _frozen(node)
    if origin in (Union, types.UnionType):
        if node is None and type(None) in args:
            return None
        rest = [a for a in args if a is not type(None)]
        for option in rest[:-1]:
            try:
                return read(option, node, path=path)
            except Undeclarable:
                continue
        return read(rest[-1], node, path=path)
    if origin is Literal:
        if node in args and type(node) in {type(a) for a in args}:
            return node
        raise Undeclarable(
            where=path,
            found=_found(node),
            expected=describe(hint),
            remedy=nearest(str(node), [str(a) for a in args]),
        )
    if origin is tuple:
        if not isinstance(node, (list, tuple)):
            raise _wrong(hint, node, path)
        if len(args) == 2 and args[1] is Ellipsis:
            return tuple(read(args[0], item, path=f"{path}[{i}]") for i, item in enumerate(node))
        if len(node) != len(args):
            raise _wrong(hint, node, path)
        pairs = zip(args, node, strict=True)
        return tuple(read(a, item, path=f"{path}[{i}]") for i, (a, item) in enumerate(pairs))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        mapping = _mapping(node, path)
        return {key: read(args[1], value, path=_join(path, key)) for key, value in mapping.items()}
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return node if isinstance(node, hint) else build(hint, node, path=path)
    return _scalar(hint, node, path)


def plain(value: Any) -> Any:
    """Dicts, lists and scalars: what YAML and JSON can say. Fields at their default are left out."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        out: dict[str, Any] = {}
        for field in dataclasses.fields(value):
            if not field.init:
                continue
            item = getattr(value, field.name)
            if _is_default(field, item):
                continue
            out[field.name] = plain(item)
        return out
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [plain(item) for item in value]
    if isinstance(value, Fraction):
        return f"{value.numerator}/{value.denominator}"
    return value


def describe(hint: Any) -> str:
    """A type in words, for an error message."""
    origin, args = get_origin(hint), get_args(hint)
    if origin is Literal:
        return "one of " + ", ".join(str(a) for a in args)
    if origin in (Union, types.UnionType):
        return " or ".join(describe(a) for a in args if a is not type(None))
    if origin is tuple:
        if len(args) == 2 and args[1] is Ellipsis:
            return f"a list, each {describe(args[0])}"
        return f"a list of {len(args)}"
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return "a block of named entries"
    names = {
        str: "text",
        int: "a whole number",
        float: "a number",
        bool: "true or false",
        date: "a date as YYYY-MM-DD",
        Fraction: "an exact share such as 1/2",
    }
    if hint in names:
        return names[hint]
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return "a block with " + ", ".join(f.name for f in dataclasses.fields(hint) if f.init)
    return getattr(hint, "__name__", str(hint))


def _scalar(hint: Any, node: Any, path: str) -> Any:
    if hint is float and isinstance(node, (int, float)) and not isinstance(node, bool):
        return float(node)
    if hint is int and isinstance(node, int) and not isinstance(node, bool):
        return node
    if hint is bool and isinstance(node, bool):
        return node
    if hint is str and isinstance(node, str):
        return node
    if hint is date and isinstance(node, date) and not isinstance(node, datetime):
        return node
    if hint is Fraction:
        try:
            if isinstance(node, (str, int)) and not isinstance(node, bool):
                return Fraction(node)
        except (ValueError, ZeroDivisionError):
            pass
    raise _wrong(hint, node, path)


def _mapping(node: Any, path: str) -> Mapping[str, Any]:
    if not isinstance(node, Mapping):
        raise Undeclarable(
            where=path or "the file",
            found=_kind(node),  # without the text: a file that is no declaration may be data
            expected="a block of `key: value` lines",
            remedy="Indent the entries below the key.",
        )
    for key in node:
        if not isinstance(key, str):
            raise Undeclarable(
                where=path or "the file",
                found=f"the key {key!r}",
                expected="keys that are text",
                remedy="Put the key in quotes.",
            )
    return node


def _is_default(field: dataclasses.Field[Any], item: Any) -> bool:
    if field.default is not dataclasses.MISSING:
        return bool(item == field.default) and type(item) is type(field.default)
    if field.default_factory is not dataclasses.MISSING:
        return bool(item == field.default_factory())
    return False


def _frozen(node: Any) -> Any:
    """Free-form content as it came, with lists made tuples."""
    if isinstance(node, Mapping):
        return {key: _frozen(item) for key, item in node.items()}
    if isinstance(node, (list, tuple)):
        return tuple(_frozen(item) for item in node)
    return node


def _wrong(hint: Any, node: Any, path: str) -> Undeclarable:
    return Undeclarable(
        where=path, found=_found(node), expected=describe(hint), remedy="Correct the value in the file."
    )


def _found(node: Any) -> str:
    kind = _kind(node)
    if node is None or isinstance(node, (Mapping, list, tuple)):
        return kind
    text = str(node)
    return f"{kind} ({text if len(text) <= LONGEST else text[:LONGEST] + '...'})"


def _kind(node: Any) -> str:
    if node is None:
        return "nothing"
    if isinstance(node, Mapping):
        return "a block"
    if isinstance(node, (list, tuple)):
        return f"a list of {len(node)}"
    kinds = {str: "text", bool: "a true/false", int: "a whole number", float: "a number", date: "a date"}
    return kinds.get(type(node), type(node).__name__)


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _prefix(path: str, where: str) -> str:
    if not path or where.startswith(path):
        return where
    return _join(path, where) if where else path
