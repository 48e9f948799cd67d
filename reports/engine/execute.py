"""Run the cells of pages in one kernel, and put what they print in their place.

The kernel is this very interpreter. It writes its connection file, and IPython its history, into a
folder of its own, so that nothing is needed or left in the home folder.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import secrets
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from data_contracts.refusal import Refusal
from reports.engine.subset import INLINE, Cell, Page
from reports.neutral import markdown

TIMEOUT = 600
LONGEST_SOCKET = 90
"""Characters that the name of a local socket may have, with room for a number behind it."""
_SPLIT = re.compile(r"(`\{python\} [^`]+`)")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class CellFailed(Refusal):
    """A cell of a page that did not run."""


def execute(pages: Sequence[Page], *, cwd: Path, environment: Mapping[str, str]) -> list[str]:
    """The Markdown of each page with its cells and look-ups replaced by what they say."""
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    end = f"end of part {secrets.token_hex(16)}"
    notebook = _notebook([_code(page, end) for page in pages])
    with tempfile.TemporaryDirectory(prefix="desist-kernel-") as private:
        own = {**os.environ, **environment, "IPYTHONDIR": private, "JUPYTER_RUNTIME_DIR": private}
        own["PYTHONPATH"] = os.pathsep.join(
            p for p in (str(Path(__file__).resolve().parents[2]), own.get("PYTHONPATH", "")) if p
        )
        try:
            client = _client(notebook, cwd, Path(private))
            client.execute(env=own)
        except CellExecutionError as error:
            done = sum(bool(cell.get("execution_count")) for cell in notebook.cells)
            at = max(0, done - 1)
            last = _COLOUR.sub("", f"{error.ename}: {error.evalue}")
            raise CellFailed(
                where=_where(pages[at], _printed(notebook.cells[at]).count(end)),
                found=last,
                expected="a cell that prints",
                remedy="Run the same line in Python to see the whole error.",
            ) from None
        except (CellTimeoutError, DeadKernelError) as error:
            if client.interrupted:
                raise KeyboardInterrupt from None
            raise CellFailed(
                where="the pages' kernel",
                found=type(error).__name__,
                expected=f"every cell done within {TIMEOUT} seconds",
                remedy="Look for a machine out of memory, then render again.",
            ) from None
    return [
        _filled(page, iter(_printed(cell).split(f"{end}\n")))
        for page, cell in zip(pages, notebook.cells, strict=True)
    ]


def _code(page: Page, end: str) -> str:
    """All that a page runs, as one cell: a hand-over to the kernel takes longer than most look-ups.

    `end` is printed after each part; nobody can guess it, so that no label can print it.
    """
    code = ["import json"]
    for part in page.parts:
        if isinstance(part, Cell):
            code += [part.code, f"print({end!r})"]
        elif part.expressions:
            listed = ", ".join(part.expressions)
            code += [f"print(json.dumps([str(text) for text in ({listed},)]))", f"print({end!r})"]
    return "\n".join(code)


def _where(page: Page, done: int) -> str:
    """The part of the page that comes after `done` others that ran."""
    run = [part for part in page.parts if isinstance(part, Cell) or part.expressions]
    return f"{page.path.name}: {run[done].where}" if done < len(run) else page.path.name


def _filled(page: Page, printed: Iterator[str]) -> str:
    out = []
    for part in page.parts:
        if isinstance(part, Cell):
            text = next(printed)
            out.append(text if part.shown else "")
        elif part.expressions:
            texts = iter(json.loads(next(printed)))
            out.append("".join(_said(piece, texts) for piece in _SPLIT.split(part.text)))
        else:
            out.append(part.text)
    return "\n\n".join(out)


def _said(piece: str, texts: Iterator[str]) -> str:
    return markdown(next(texts)) if INLINE.fullmatch(piece) else piece


def _notebook(code: Sequence[str]) -> Any:
    import nbformat

    made: Any = nbformat.v4
    return made.new_notebook(cells=[made.new_code_cell(text) for text in code])


def _printed(cell: Any) -> str:
    return "".join(
        output["text"]
        for output in cell["outputs"]
        if output["output_type"] == "stream" and output["name"] == "stdout"
    )


def _client(notebook: Any, cwd: Path, private: Path) -> Any:
    """An nbclient whose kernel is this interpreter, whatever kernels the machine has installed.

    An interruption stops the cell that runs, and is remembered: nbclient takes it for a kernel that died.
    """
    from jupyter_client.kernelspec import KernelSpec
    from nbclient import NotebookClient

    class ThisInterpreter(NotebookClient):  # type: ignore[misc, unused-ignore]
        def create_kernel_manager(self) -> Any:
            manager = super().create_kernel_manager()
            argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
            manager._kernel_spec = KernelSpec(argv=argv, display_name="Python", language="python")
            socket = private / "kernel"
            if os.name == "posix" and len(str(socket)) < LONGEST_SOCKET:
                manager.transport, manager.ip = "ipc", str(socket)
            return manager

        interrupted = False

        @asynccontextmanager
        async def async_setup_kernel(self, **kwargs: Any) -> AsyncIterator[None]:
            async with super().async_setup_kernel(**kwargs):
                running = asyncio.current_task()
                assert running is not None

                def interrupt() -> None:
                    self.interrupted, self.shutdown_kernel = True, "immediate"
                    running.cancel()

                with suppress(RuntimeError):  # outside the main thread, where no signal arrives
                    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, interrupt)
                yield

    return ThisInterpreter(notebook, timeout=TIMEOUT, resources={"metadata": {"path": str(cwd)}})
