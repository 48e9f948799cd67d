"""A first study file and its table contract, to be edited by hand."""

from __future__ import annotations

import re
from pathlib import Path

from experiments.load import StudyRefused, find_study

TEMPLATES = Path(__file__).parent / "templates"


def write_new_study(name: str, folder: Path, *, like: str | None = None) -> tuple[Path, ...]:
    """Write NAME.yaml and NAME_participants.odcs.yaml into `folder`; refuses to replace anything.

    With `like`, NAME.yaml is a copy of that shipped study under the new id, on the same feeds, and there is no contract.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]{1,60}", name):
        raise StudyRefused(
            where="NAME",
            found=f"'{name}'",
            expected="lower-case letters, digits and underscores, starting with a letter",
            remedy="The name becomes the study's id, which stays for ever; its title can say anything.",
        )
    texts = {
        folder / f"{name}.yaml": (TEMPLATES / "study.yaml", "STUDY"),
        folder / f"{name}_participants.odcs.yaml": (TEMPLATES / "participants.odcs.yaml", "STUDY"),
    }
    if like is not None:
        texts = {folder / f"{name}.yaml": (find_study(like), find_study(like).stem)}
    for target in texts:
        if target.exists():
            raise StudyRefused(
                where=str(target),
                found="a file",
                expected="nothing there yet",
                remedy="Choose another name; nothing was written.",
            )
    folder.mkdir(parents=True, exist_ok=True)
    for target, (source, placeholder) in texts.items():
        text = source.read_text(encoding="utf-8").replace(placeholder, name)
        part = target.with_name(f".{target.name}.part")
        part.write_text(text, encoding="utf-8")
        part.rename(target)
    return tuple(texts)
