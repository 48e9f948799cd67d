"""The study as a notebook holds it: declared, run, and seen through its release.

    import desist as ds
    study = ds.study("baltimore_life")
    study.run()
    study.effects()
    study.plot("primary")

Whatever a notebook shows may be saved and sent, so tables and plots are made from the release, and
carry what the disclosure policy let out. The sensitive findings are a folder away, in `study.folder`.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data_contracts.refusal import Refusal
from experiments.load import find_study, load_protocol, study_names

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from experiments.protocol import Protocol
    from reports.release import Release


class NotRun(Refusal):
    """Results asked of a study that has not been run."""


def study(study: str | Path) -> Study:
    """A study by its id, or by the path of its YAML file."""
    return Study(find_study(study))


def studies() -> tuple[str, ...]:
    """The ids of the studies that ship with the package."""
    return study_names()


class Study:
    """A declared study; after `run` it answers from the release of its findings."""

    def __init__(self, file: Path) -> None:
        self.file = Path(file)
        self.protocol: Protocol = load_protocol(self.file)
        self.folder: Path | None = None
        self._release: Release | None = None
        self._keep: tempfile.TemporaryDirectory[str] | None = None

    def check(self, data: Path | None = None) -> list[dict[str, Any]]:
        """Would it run? With `data`, a row for each table that keeps its contract."""
        from evaluation.run import check_data, plan_study

        plan = plan_study(self.file)
        return [] if data is None else check_data(plan, Path(data))

    def run(
        self,
        data: str | Path | None = None,
        *,
        out: str | Path | None = None,
        policy: str | Path | None = None,
        progress: bool = True,
    ) -> Study:
        """Run and release the study; returns itself, so that `study.run().effects()` reads on.

        `data` is the folder of its tables; only studies of the open data that ship with the package may
        leave it out. `out` is a folder for `run` and `release`; without it they live as long as this
        object does. `policy` is the data owner's disclosure policy, a file or the name of a shipped one;
        without it the default one holds, or for the open data that ship here their own.
        """
        from data_contracts.disclosure import load_policy
        from evaluation.run import run_study, write_run
        from reports.release import release

        if out is None:
            self._keep = tempfile.TemporaryDirectory(prefix="desist-")
            folder = Path(self._keep.name)
        else:
            folder = Path(out)
        started = time.time()
        if policy is None:
            policy = "open_data" if data is None else "default"
        result = run_study(self.file, self._data(data, folder), progress=_teller(progress))
        write_run(result, folder / "run", started=started)
        self._release = release(folder / "run", load_policy(policy), folder / "release")
        self.protocol, self.folder = result.protocol, folder
        return self

    def rehearse(
        self, *, rows: int, seed: int, policy: str | Path = "default", progress: bool = True
    ) -> Study:
        """Run and release the study on invented rows, before there are data; returns itself.

        Every number is marked provisional, and none means anything: what is rehearsed is the declaration.
        """
        from desist.dry_run import write_dry_run

        with tempfile.TemporaryDirectory(prefix="desist-rows-") as name:
            write_dry_run(self.file, Path(name) / "data", rows=rows, seed=seed)
            return self.run(Path(name) / "data", policy=policy, progress=progress)

    def effects(self) -> pd.DataFrame:
        """Every estimate: what was compared, how, the value with its interval, and its standing."""
        from reports.tables.effects_frame import effects_frame

        return effects_frame(self.released.values)

    def plot(self, what: str = "primary") -> Figure:
        """A figure of the release: "primary", "flow", "survival", "posterior", "balance", "definitions" or "effects"."""
        from reports.figures.named import figure

        return figure(what, self.released.values)

    def value(self, key: str) -> str:
        """A finished text of the release, such as `study.value("primary.interval")`."""
        return self.released.values(key)

    @property
    def released(self) -> Release:
        """The release of the last run."""
        if self._release is None:
            raise NotRun(
                where=self.protocol.id,
                found="a study that has not been run",
                expected="a run before results are asked for",
                remedy='Call study.run() first, with data="FOLDER" for a study of your own.',
            )
        return self._release

    def render(self, out: str | Path, *, to: tuple[str, ...] = ("html", "pdf"), engine: str = "auto") -> Path:
        """Render the report of the release into `out`; returns the page to open."""
        from reports.render import render

        render(self.released.folder, to, engine, Path(out))
        return Path(out) / "index.html"

    def __repr__(self) -> str:
        state = "not run" if self._release is None else "run and released"
        return f"Study({self.protocol.id!r}, {self.protocol.registration.status}, {state})"

    def _repr_html_(self) -> str:
        from html import escape

        p = self.protocol
        primary = p.outcomes[p.primary_outcome]
        rows = {
            "Design": f"{p.design.scheme}: {', '.join(arm.label for arm in p.arms.values())}",
            "Primary outcome": f"{primary.label}, over {primary.follow_up_days} days",
            "Standing": p.registration.status,
            "Analyses": ", ".join(p.analyses),
            "Fingerprint": p.fingerprint[:16],
            "State": "not run" if self._release is None else "run and released",
        }
        body = "".join(
            f'<tr><th scope="row" style="text-align:left">{escape(k)}</th>'
            f'<td style="text-align:left">{escape(v)}</td></tr>'
            for k, v in rows.items()
        )
        return f"<table><caption>{escape(p.title)}</caption><tbody>{body}</tbody></table>"

    def _data(self, data: str | Path | None, folder: Path) -> Path:
        if data is not None:
            return Path(data)
        from data_contracts.examples import EXAMPLES, write_example

        absent = [name for name in self.protocol.tables if name not in EXAMPLES]
        if absent:
            raise NotRun(
                where=self.protocol.id,
                found="no folder of data",
                expected=f"a folder with a file for {', '.join(absent)}",
                remedy='Call study.run(data="FOLDER"); `desist synthesise` makes invented tables for rehearsal.',
            )
        for name in self.protocol.tables:
            write_example(name, folder / "data")
        return folder / "data"


def _teller(tell: bool) -> Callable[[str], None]:
    def say(step: str) -> None:
        if tell:
            print(f"  {step}", file=sys.stderr, flush=True)  # noqa: T201

    return say
