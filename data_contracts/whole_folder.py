"""Write a folder whole or not at all.

The content is made in a hidden folder beside its place, then renamed into it. Whatever interrupts
the making, what was there before stays as it was.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
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
    out = Path(out)
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
        made = Path(tempfile.mkdtemp(prefix=f".{out.name}.", suffix=".part", dir=out.parent))
    except OSError as error:
        raise FolderRefused(
            where=str(out),
            found=f"a place that cannot be written ({error.strerror})",
            expected="a folder with write permission",
            remedy="Choose another place for --out, or change its permissions.",
        ) from None
    try:
        made.chmod(0o755)
        yield made
        _swap(made, out)
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _swap(made: Path, out: Path) -> None:
    """Put `made` in the place of `out`; two renames, so that `out` is always one whole folder."""
    if not out.exists():
        made.rename(out)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{out.name}.", suffix=".old", dir=out.parent))
    kept = old / "was"
    out.rename(kept)
    try:
        made.rename(out)
    except OSError:
        kept.rename(out)
        raise
    finally:
        shutil.rmtree(old, ignore_errors=True)
