"""Study files: YAML to a `Protocol`, and back, exactly.

A study is named by its id (a file in `experiments/studies/`) or by the path of a YAML file anywhere,
which may bring its own table contracts in the same folder.
"""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import yaml

from data_contracts.catalogue import find
from data_contracts.declared import build, read
from data_contracts.refusal import Refusal, nearest
from data_contracts.safe_yaml import parse_yaml, read_yaml
from experiments.derivation import Derivation
from experiments.design import Arm, Design, NamedArm
from experiments.protocol import Analysis, Protocol, declared

STUDIES = Path(__file__).parent / "studies"
_NAME = re.compile(r"^[a-z][a-z0-9_]*$")


class StudyRefused(Refusal):
    """A study that cannot be found, or whose file does not say what a study says."""


def study_names() -> tuple[str, ...]:
    """The ids of the studies shipped with the package."""
    return tuple(sorted(path.stem for path in STUDIES.glob("*.yaml") if ".registered" not in path.name))


def find_study(study: str | Path) -> Path:
    """The file of a study, by its id or its path."""
    text = str(study)
    if text.endswith((".yaml", ".yml")) or "/" in text:
        path = Path(text)
        if path.is_file():
            return path
        raise StudyRefused(
            where="study",
            found=f"no file at {text}",
            expected="a study file",
            remedy="Check the path and its spelling.",
        )
    path = STUDIES / f"{text}.yaml"
    if not path.is_file():
        raise StudyRefused(
            where="study",
            found=f"'{text}'",
            expected="the id of a study, or a path ending in .yaml",
            remedy=nearest(text, study_names()),
        )
    return path


def load_protocol(path: Path) -> Protocol:
    """The protocol in a study file."""
    return protocol_from(read_yaml(path), where=path.name)


def protocol_from(content: Any, *, where: str) -> Protocol:
    """The protocol that plain dictionaries declare."""
    if not isinstance(content, dict):
        raise StudyRefused(
            where=where,
            found="no `key: value` lines at the top level",
            expected="a study: id, title, seed, registration, population, arms, design, outcomes, ...",
            remedy="Start from `desist new NAME`.",
        )
    node = dict(content)
    for block in ("arms", "outcomes", "estimands", "analyses", "families", "checks"):
        _check_names(node.get(block), block)
    arms = read(dict[str, Arm], node.get("arms", {}), path="arms")
    if "design" in node:
        node["design"] = _design(node["design"], arms)
    if isinstance(node.get("outcomes"), dict):
        node["outcomes"] = {
            name: _outcome(item, f"outcomes.{name}") for name, item in node["outcomes"].items()
        }
    if isinstance(node.get("analyses"), dict):
        node["analyses"] = {
            name: _analysis(item, f"analyses.{name}") for name, item in node["analyses"].items()
        }
    return build(Protocol, node, path="")


def dump(protocol: Protocol) -> str:
    """The study file of a protocol; `protocol_from(parse_yaml(dump(p)))` equals `p`."""
    return yaml.safe_dump(declared(protocol), sort_keys=False, allow_unicode=True, width=100)


def loads(text: str, *, name: str) -> Protocol:
    """The protocol in the text of a study file."""
    return protocol_from(parse_yaml(text, name=name), where=name)


def _design(node: Any, arms: dict[str, Arm]) -> Design:
    if not isinstance(node, dict) or "scheme" not in node:
        raise StudyRefused(
            where="design.scheme",
            found="nothing",
            expected="the name of a file in experiments/designs/",
            remedy="Write `scheme: complete`, for example.",
        )
    scheme = node["scheme"]
    cls = find("experiments.designs", str(scheme), where="design.scheme")
    options = {key: value for key, value in node.items() if key != "scheme"}
    if "arms" in options:
        raise StudyRefused(
            where="design.arms",
            found="arms inside the design",
            expected="arms in their own block",
            remedy="Move them to `arms:` at the top level.",
        )
    named = tuple(NamedArm(name=name, share=arm.share) for name, arm in arms.items())
    options["arms"] = [{"name": a.name, "share": str(a.share)} for a in named]
    design = build(cls, options, path="design")
    assert isinstance(design, Design)
    return design


def _outcome(node: Any, path: str) -> Any:
    """Build an outcome's derivation, which its `method` names."""
    if not isinstance(node, dict) or not isinstance(node.get("derive"), dict):
        return node
    options = dict(node["derive"])
    if "method" not in options:
        raise StudyRefused(
            where=f"{path}.derive.method",
            found="nothing",
            expected="the name of a file in experiments/derivations/",
            remedy="Write `method: events_in_window`, for example; `desist list derivations` shows the others.",
        )
    method = str(options.pop("method"))
    cls = find("experiments.derivations", method, where=f"{path}.derive.method")
    made = build(cls, options, path=f"{path}.derive")
    assert isinstance(made, Derivation)
    return {**node, "derive": made}


def _analysis(node: Any, path: str) -> Any:
    """Move an estimator's own choices under `options`."""
    if not isinstance(node, dict):
        return node
    own = {field.name for field in dataclasses.fields(Analysis)} - {"options"}
    if "options" in node:
        raise StudyRefused(
            where=f"{path}.options",
            found="a block called options",
            expected="the estimator's choices beside the other keys",
            remedy="Move its entries one level up.",
        )
    known = {key: value for key, value in node.items() if key in own}
    known["options"] = {key: value for key, value in node.items() if key not in own}
    return known


def _check_names(block: Any, where: str) -> None:
    if not isinstance(block, dict):
        return
    for name in block:
        if not isinstance(name, str) or not _NAME.match(name):
            raise StudyRefused(
                where=where,
                found=f"the name '{name}'",
                expected="lower-case letters, digits and underscores, starting with a letter",
                remedy="Names are ids that stay for ever; put the wording in `label`.",
            )
