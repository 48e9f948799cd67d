"""Validation against bare pandera on the same rules, and the memory of validation in chunks.

python benchmarks/validation.py            both figures
python benchmarks/validation.py --peak F   check one Parquet file, print seconds, rows and peak bytes
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pandera.pandas as pa
import pyarrow
import pyarrow.parquet

from data_contracts.check import check_frame
from data_contracts.expression import Expression
from data_contracts.large import check_file
from data_contracts.table import Column, DisclosureRole, Rule, Sensitivity, TableContract, Vintage

ROWS = 5_000_000
LARGE_ROWS = 20_000_000
LATEST = date(2026, 1, 31)
GIBIBYTE = 2**30
AREAS = [f"E0800{number:04d}" for number in range(1, 41)]
KINDS = ["charge", "caution", "resolution", "none"]


def contract() -> TableContract:
    """Eight columns: an id, an area, two dates, a code, a flag, a whole number, a number; one rule between two."""
    shared: dict[str, Any] = {"sensitivity": Sensitivity.PUBLIC, "role": DisclosureRole.DIMENSION}
    return TableContract(
        name="records",
        version="1.0.0",
        status="active",
        title="Records",
        purpose="To be validated.",
        grain="one record",
        key=("record",),
        controller="nobody",
        lawful_basis="a benchmark",
        retention="0 y",
        vintage=Vintage(provisional=False, extracted=LATEST),
        columns={
            "record": Column(dtype="integer", meaning="Id.", unit="order", unique=True, minimum=0, **shared),
            "area": Column(dtype="string", meaning="Area.", unit="code", pattern="^E[0-9]{8}$", **shared),
            "came": Column(
                dtype="date",
                meaning="First.",
                unit="date",
                format="yyyy-MM-dd",
                minimum=date(2000, 1, 1),
                **shared,
            ),
            "left": Column(
                dtype="date", meaning="Last.", unit="date", format="yyyy-MM-dd", nullable=True, **shared
            ),
            "kind": Column(dtype="string", meaning="Kind.", unit="label", allowed=tuple(KINDS), **shared),
            "flag": Column(dtype="integer", meaning="Flag.", unit="0 or 1", allowed=(0, 1), **shared),
            "age": Column(dtype="integer", meaning="Age.", unit="years", minimum=10, maximum=25, **shared),
            "score": Column(
                dtype="number",
                meaning="Score.",
                unit="points",
                nullable=True,
                minimum=0,
                maximum=40,
                **shared,
            ),
        },
        rules=(Rule(name="last is not before first", holds=Expression("missing(left) or left >= came")),),
    )


def bare_pandera() -> pa.DataFrameSchema:
    """The same rules as somebody would write them in pandera."""
    end = pd.Timestamp(LATEST) + pd.Timedelta(days=1)
    return pa.DataFrameSchema(
        {
            "record": pa.Column(int, pa.Check.ge(0), unique=True),
            "area": pa.Column(str, pa.Check.str_matches("^E[0-9]{8}$")),
            "came": pa.Column("datetime64[us]", [pa.Check.ge(pd.Timestamp("2000-01-01")), pa.Check.lt(end)]),
            "left": pa.Column("datetime64[us]", pa.Check.lt(end), nullable=True),
            "kind": pa.Column(str, pa.Check.isin(KINDS)),
            "flag": pa.Column(int, pa.Check.isin([0, 1])),
            "age": pa.Column(int, [pa.Check.ge(10), pa.Check.le(25)]),
            "score": pa.Column(float, [pa.Check.ge(0), pa.Check.le(40)], nullable=True),
        },
        checks=[
            pa.Check(lambda t: t["left"].isna() | (t["left"] >= t["came"]), ignore_na=False),
            pa.Check(lambda t: t["left"].notna().any(), ignore_na=False),
            pa.Check(lambda t: t["score"].notna().any(), ignore_na=False),
        ],
        strict=True,
    )


def rows(first: int, count: int, rng: np.random.Generator) -> pd.DataFrame:
    """`count` rows that keep the contract, with ids from `first`."""
    came = np.datetime64("2015-01-01") + rng.integers(0, 3000, count).astype("timedelta64[D]")
    left = (came + rng.integers(0, 900, count).astype("timedelta64[D]")).astype("datetime64[us]")
    left[rng.random(count) < 0.1] = np.datetime64("NaT", "us")
    return pd.DataFrame(
        {
            "record": np.arange(first, first + count),
            "area": pd.Series(np.array(AREAS, dtype=object)[rng.integers(0, len(AREAS), count)], dtype="str"),
            "came": came.astype("datetime64[us]"),
            "left": left,
            "kind": pd.Series(np.array(KINDS, dtype=object)[rng.integers(0, len(KINDS), count)], dtype="str"),
            "flag": rng.integers(0, 2, count),
            "age": rng.integers(10, 26, count),
            "score": np.where(rng.random(count) < 0.05, np.nan, rng.integers(0, 41, count)),
        }
    )


def whole_table() -> dict[str, Any]:
    """Ours and bare pandera on one frame, turn and turn about; the best of three each."""
    frame = rows(0, ROWS, np.random.default_rng(1))
    ours, theirs = [], []
    schema, promised = bare_pandera(), contract()
    for _ in range(3):
        start = time.perf_counter()
        schema.validate(frame, lazy=True, inplace=True)
        theirs.append(time.perf_counter() - start)
        start = time.perf_counter()
        check_frame(frame, promised, latest=LATEST)
        ours.append(time.perf_counter() - start)
    return {
        "name": f"validate {ROWS:,} rows by 8 columns",
        "ours_seconds": min(ours),
        "peer": "pandera",
        "peer_seconds": min(theirs),
        "ratio": min(ours) / min(theirs),
        "target": 1.5,
        "note": f"The same rules on the same frame in the same run; best of three; pandera {version('pandera')}.",
    }


def in_chunks() -> dict[str, Any]:
    """Seconds and peak memory of a fresh process that checks a Parquet file too large to hold."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "records.parquet"
        rng, step = np.random.default_rng(2), 1_000_000
        writer = None
        for first in range(0, LARGE_ROWS, step):
            batch = pyarrow.Table.from_pandas(rows(first, step, rng), preserve_index=False)
            writer = writer or pyarrow.parquet.ParquetWriter(path, batch.schema)
            writer.write_table(batch)
        assert writer is not None
        writer.close()
        done = subprocess.run(
            [sys.executable, __file__, "--peak", str(path)], check=True, capture_output=True, text=True
        )
    found = json.loads(done.stdout)
    return {
        "name": f"validate {LARGE_ROWS:,} rows of Parquet in chunks",
        "ours_seconds": found["seconds"],
        "peer": "1 GiB of memory",
        "peer_seconds": None,
        "ratio": found["peak_bytes"] / GIBIBYTE,
        "target": 1.0,
        "note": f"The ratio is peak resident memory over 1 GiB: {found['peak_bytes'] / 2**20:,.0f} MiB for {found['rows']:,} rows.",
    }


def peak(path: Path) -> dict[str, Any]:
    """Check one file in this process, and say what it took."""
    start = time.perf_counter()
    checked = check_file(path, contract())
    seconds = time.perf_counter() - start
    return {
        "seconds": seconds,
        "rows": checked.rows,
        "peak_bytes": peak_resident(),
    }


def peak_resident() -> int:
    """Bytes at this process's peak. `ru_maxrss` would count what the parent held when it forked."""
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("this system does not tell a process its peak memory")


def run() -> list[dict[str, Any]]:
    """Both figures."""
    return [whole_table(), in_chunks()]


if __name__ == "__main__":
    if "--peak" in sys.argv:
        print(json.dumps(peak(Path(sys.argv[-1]))))
    else:
        print(json.dumps(run(), indent=1))
