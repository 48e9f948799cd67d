"""Every benchmark in this folder, one after another, into one JSON list.

    python -m benchmarks --out build/bench.json [NAME ...]

Each script has `run() -> list[dict]`, whose entries have the keys name, ours_seconds, peer,
peer_seconds, ratio (ours over the peer's), target (the largest ratio aimed at) and note.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from pathlib import Path
from typing import Any

KEYS = ("name", "ours_seconds", "peer", "peer_seconds", "ratio", "target", "note")


def scripts() -> list[str]:
    """The names of the benchmarks: the modules here that have a `run`."""
    here = Path(__file__).parent
    return sorted(p.stem for p in here.glob("*.py") if "\ndef run(" in p.read_text(encoding="utf-8"))


def collect(names: list[str]) -> list[dict[str, Any]]:
    """The entries of these scripts; a script that fails is an entry that says so."""
    rows: list[dict[str, Any]] = []
    for name in names:
        print(f"{name} ...", file=sys.stderr, flush=True)
        for entry in importlib.import_module(f"benchmarks.{name}").run():
            row = {key: entry.get(key) for key in KEYS}
            rows.append(row)
            ratio = "-" if row["ratio"] is None else f"{row['ratio']:.3g}"
            print(
                f"  {row['name']}: {row['ours_seconds']} s, ratio {ratio} (target {row['target']})",
                file=sys.stderr,
            )
    return rows


def main() -> None:
    """Run the benchmarks named, or all, and write the list whole."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("build/bench.json"))
    parser.add_argument("names", nargs="*", help=f"any of: {', '.join(scripts())}")
    asked = parser.parse_args()
    unknown = set(asked.names) - set(scripts())
    if unknown:
        parser.error(f"no benchmark called {', '.join(sorted(unknown))}; there are {', '.join(scripts())}")
    rows = collect(asked.names or scripts())
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    part = asked.out.with_suffix(".part")
    part.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    part.rename(asked.out)
    print(f"{len(rows)} figures in {asked.out}", file=sys.stderr)


if __name__ == "__main__":
    main()
