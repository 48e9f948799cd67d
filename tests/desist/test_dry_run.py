"""Rows for a rehearsal are written whole or not at all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import data_contracts.synthetic


def test_an_interrupted_rehearsal_leaves_nothing_behind(
    desist: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "dry"

    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(data_contracts.synthetic, "as_text_frame", interrupted)
        assert desist("synthesise", "baltimore_life", "--out", out, "--rows", 60).code == 130
    assert list(tmp_path.iterdir()) == []
    assert desist("synthesise", "baltimore_life", "--out", out, "--rows", 60).code == 0


def test_a_place_that_cannot_be_written_is_refused(desist: Callable[..., Any], tmp_path: Path) -> None:
    said = desist("synthesise", "baltimore_life", "--out", "/proc/nowhere/dry", "--rows", 60)
    assert said.code == 1 and "cannot be written" in said.err
