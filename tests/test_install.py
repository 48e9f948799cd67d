"""The distribution: its generic package names are its own, and its versions agree."""

from __future__ import annotations

import re
import subprocess
import sys
import time
import tomllib
from importlib.metadata import packages_distributions, version
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("desist", "reports", "evaluation", "experiments", "data_contracts")


@pytest.mark.parametrize("package", PACKAGES)
def test_no_other_distribution_owns_the_name(package: str) -> None:
    assert set(packages_distributions().get(package, ["desist"])) == {"desist"}


@pytest.mark.parametrize("package", PACKAGES)
def test_the_name_resolves_to_this_checkout(package: str) -> None:
    spec = find_spec(package)
    assert spec is not None and spec.origin is not None
    assert Path(spec.origin).resolve() == ROOT / package / "__init__.py"


def test_every_statement_of_the_version_agrees() -> None:
    import desist

    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert desist.__version__ == declared == str(citation["version"]) == version("desist")
    newest = re.search(r"^## \[?([0-9.]+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert newest is not None and newest.group(1) == declared


def test_the_lock_holds_every_dependency_with_hashes_and_no_address() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    assert "://" not in lock and "@ file" not in lock
    pins = set(re.findall(r"^([a-z0-9._-]+)==", lock, re.MULTILINE))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = project["project"]["dependencies"] + project["dependency-groups"]["dev"]
    for requirement in wanted:
        name = re.split(r"[<>=!~\[; ]", requirement)[0].lower().replace("_", "-")
        assert name in pins, f"{name} is not in requirements.lock: run `make lock`"
    for block in re.split(r"\n(?=[a-z0-9._-]+==)", lock.strip()):
        if "==" in block.split("\n")[0]:
            assert "--hash=sha256:" in block, block.split("\n")[0]


def test_the_help_imports_no_pandas_and_answers_at_once() -> None:
    """The time is a generous ceiling on a busy machine, to catch a heavy import, not a benchmark."""
    code = (
        "import sys; sys.argv = ['desist', '--help']\n"
        "from desist.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "heavy = {'pandas', 'numpy', 'scipy', 'matplotlib', 'pymc'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    began = time.monotonic()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "demo" in done.stdout and "render" in done.stdout
    assert time.monotonic() - began < 5


def test_importing_the_package_sets_nothing_and_loads_nothing_heavy() -> None:
    code = (
        "import sys, warnings, logging\n"
        "filters, level = list(warnings.filters), logging.root.level\n"
        "import desist, data_contracts, experiments, evaluation, reports\n"
        "assert warnings.filters == filters and logging.root.level == level\n"
        "assert not {'pandas', 'pymc', 'matplotlib'} & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
