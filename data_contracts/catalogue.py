"""Find a plug-in by its file name: the file name is the key, and there is no list to edit.

`find("evaluation.estimators", "rate_ratio")` imports that one module and returns the one public
class it defines. Listing names imports nothing.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
from pathlib import Path
from typing import Any

from data_contracts.refusal import Refusal, nearest


class UnknownPlugin(Refusal):
    """A name that no file in the folder carries."""


def names(package: str) -> tuple[str, ...]:
    """The plug-ins in a folder, sorted; nothing is imported but the folder's package."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return ()
    return tuple(
        sorted(
            path.stem
            for folder in spec.submodule_search_locations
            for path in Path(folder).glob("*.py")
            if not path.stem.startswith("_")
        )
    )


def find(package: str, name: str, *, where: str = "") -> type[Any]:
    """The one public class of the module `package.name`."""
    known = names(package)
    if name not in known:
        folder = package.replace(".", "/")
        raise UnknownPlugin(
            where=where or folder,
            found=f"'{name}'",
            expected=f"the name of a file in {folder}/",
            remedy=nearest(name, known),
        )
    module = importlib.import_module(f"{package}.{name}")
    classes = [
        value
        for key, value in vars(module).items()
        if inspect.isclass(value) and value.__module__ == module.__name__ and not key.startswith("_")
    ]
    if len(classes) != 1:
        raise TypeError(f"{package}.{name} must define one public class; it defines {len(classes)}")
    return classes[0]
