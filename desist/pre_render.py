"""Before `quarto render`: make the demonstration release where the pages would find none.

Quarto runs this file from the project's folder with whatever Python it found; everything here is
relative to the file. Where the release cannot be made, the pages say what to run.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    """Make `build/demo/release` unless there is a release already."""
    if os.environ.get("DESIST_RELEASE"):
        return
    place = ROOT / "build" / "demo" / "release"
    if (place / "release.json").is_file() or any(place.glob("*/release.json")):
        return
    sys.path[0] = str(ROOT)
    try:
        from desist.demo import make_release

        make_release(ROOT / "build" / "demo")
    except Exception as error:  # the pages must render all the same, and say what to run
        sys.stderr.write(
            f"desist: no demonstration release could be made ({type(error).__name__}). Try `make demo`.\n"
        )


if __name__ == "__main__":
    main()
