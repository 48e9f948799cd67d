"""A first study file and its table contract, to be edited by hand."""

from __future__ import annotations

import re
from pathlib import Path

from experiments.load import StudyRefused

TEMPLATES = Path(__file__).parent / "templates"


def write_new_study(name: str, folder: Path) -> tuple[Path, Path]:
    """Write NAME.yaml and NAME_participants.odcs.yaml into `folder`; refuses to replace anything."""
    if not re.fullmatch(r"[a-z][a-z0-9_]{1,60}", name):
        raise StudyRefused(
            where="NAME",
            found=f"'{name}'",
            expected="lower-case letters, digits and underscores, starting with a letter",
            remedy="The name becomes the study's id, which stays for ever; its title can say anything.",
        )
    targets = (folder / f"{name}.yaml", folder / f"{name}_participants.odcs.yaml")
    for target in targets:
        if target.exists():
            raise StudyRefused(
                where=str(target),
                found="a file",
                expected="nothing there yet",
                remedy="Choose another name; nothing was written.",
            )
    folder.mkdir(parents=True, exist_ok=True)
    for target, source in zip(targets, ("study.yaml", "participants.odcs.yaml"), strict=True):
        text = (TEMPLATES / source).read_text(encoding="utf-8").replace("STUDY", name)
        part = target.with_name(f".{target.name}.part")
        part.write_text(text, encoding="utf-8")
        part.rename(target)
    return targets
