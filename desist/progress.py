"""Progress for a person who waits: silent for two seconds, then a line for each step, on stderr."""

from __future__ import annotations

import sys
import threading
import time
from types import TracebackType
from typing import Self

PATIENCE = 2.0


class Progress:
    """Call it with the name of each step; use it as a context so that its timer ends."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._began = time.monotonic()
        self._step = ""
        self._shown = ""
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None

    def __call__(self, step: str) -> None:
        """Note that `step` begins."""
        with self._lock:
            self._step = step
            waited = time.monotonic() - self._began
        if waited >= PATIENCE:
            self._show()

    def __enter__(self) -> Self:
        """Start waiting."""
        if not self._quiet:
            self._timer = threading.Timer(PATIENCE, self._show)
            self._timer.daemon = True
            self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop waiting."""
        if self._timer is not None:
            self._timer.cancel()

    def _show(self) -> None:
        with self._lock:
            if self._quiet or not self._step or self._step == self._shown:
                return
            self._shown = self._step
            seconds = time.monotonic() - self._began
            print(f"  {seconds:5.1f} s  {self._step}", file=sys.stderr, flush=True)  # noqa: T201
