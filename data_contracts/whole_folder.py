"""Write a folder whole or not at all.

The content is made in a hidden folder beside its place, then renamed into it. Whatever interrupts
the making, what was there before stays as it was; where a kill fell between the two renames, the next use
puts it back.
"""

from __future__ import annotations

import re
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from data_contracts.refusal import Refusal


class FolderRefused(Refusal):
    """A folder that cannot be written, or that is not ours to replace."""


@contextmanager
def whole_folder(out: Path, *, marker: str) -> Iterator[Path]:
    """A new folder to fill; on leaving without error it takes the place of `out`.

    `marker` is the file that shows that an existing `out` was made by the same step; a folder with
    other content in it is refused, not replaced.
    """
    out = Path(out).absolute()
    if out == Path.cwd() or out in Path.cwd().parents:
        raise FolderRefused(
            where=str(out),
            found="the folder that this command runs in",
            expected="a folder of its own",
            remedy="Name a folder inside it, such as --out result.",
        )
    _put_back(out)
    if out.exists() and not out.is_dir():
        raise FolderRefused(
            where=str(out),
            found="a file",
            expected="a folder or nothing",
            remedy="Choose another place for --out.",
        )
    if out.is_dir() and any(out.iterdir()) and not (out / marker).exists():
        raise FolderRefused(
            where=str(out),
            found=f"a folder with other content and no {marker}",
            expected="nothing, an empty folder, or the result of an earlier run of this step",
            remedy="Choose another place for --out; nothing was written.",
        )
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        made = out.parent / f".{out.name}.{secrets.token_hex(6)}.part"
        made.mkdir()
    except OSError as error:
        raise FolderRefused(
            where=str(out),
            found=f"a place that cannot be written ({error.strerror})",
            expected="a folder with write permission",
            remedy="Choose another place for --out, or change its permissions.",
        ) from None
    try:
        yield made
        _swap(made, out)
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _put_back(out: Path) -> None:
    """Undo what a killed swap left: the former folder goes back where nothing took its place, else it goes."""
    if not out.parent.is_dir():
        return
    ours = re.compile(rf"\.{re.escape(out.name)}\.[a-z0-9_]{{8}}\.old")
    left = [path for path in out.parent.iterdir() if ours.fullmatch(path.name) and path.is_dir()]
    for old in sorted(left, key=lambda path: path.stat().st_mtime, reverse=True):
        kept = old / "was"
        if kept.is_dir() and not out.exists():
            with suppress(OSError):
                kept.rename(out)
        if out.exists():
            shutil.rmtree(old, ignore_errors=True)


def _swap(made: Path, out: Path) -> None:
    """Put `made` in the place of `out`: two renames; whatever stops the second undoes the first.

    A kill between the two leaves the former folder beside its place, under a name ending in `.old`, from
    where `_put_back` takes it.
    """
    if not out.exists():
        made.rename(out)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{out.name}.", suffix=".old", dir=out.parent))
    kept = old / "was"
    try:
        out.rename(kept)
        made.rename(out)
    except BaseException as error:
        if kept.exists() and not out.exists():
            kept.rename(out)
        if not kept.exists():
            old.rmdir()
        if isinstance(error, OSError):
            raise FolderRefused(
                where=str(out),
                found=f"a folder that could not be replaced ({error.strerror})",
                expected="a folder that may be renamed",
                remedy="Choose another place for --out; what was there is as it was.",
            ) from None
        raise
    shutil.rmtree(old, ignore_errors=True)
