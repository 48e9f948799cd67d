"""Values: what a page looks up. `v("primary.value")` is a finished text, never a number to compute with.

A page opens the values of its study with `values("baltimore_life")`. The release is found in the
folder that the environment variable DESIST_RELEASE names, or else in `build/demo/release` of the
checkout. Where there is none, every look-up prints the mark for "not available", and the page says
what to run.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data_contracts.refusal import Refusal, nearest
from reports.gate.verdict import NOT_AVAILABLE
from reports.release import Release, ReleaseRefused, read_releases

PLACE = "DESIST_RELEASE"
DEMO = Path(__file__).resolve().parents[1] / "build" / "demo" / "release"


class UnknownValue(Refusal):
    """A key that no release has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """One finished text with where it came from."""

    key: str
    text: str
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Values:
    """The finished texts of one study's release; `record` is what tables and figures are made from.

    `fingerprint` is that of the findings that every value came from. `present` is False where no
    release was found.
    """

    study: str
    fingerprint: str
    texts: Mapping[str, str]
    record: Mapping[str, Any]
    present: bool = True

    def __call__(self, key: str) -> str:
        """The text under `key`; an unknown key is refused with the nearest spelling."""
        if not self.present:
            return NOT_AVAILABLE
        if key not in self.texts:
            raise UnknownValue(
                where=f"values of {self.study}",
                found=f"no value '{key}'",
                expected="the key of a released value",
                remedy=f"{nearest_key(key, self.texts)} A release made by another version is made again: "
                "desist release RUN --out REL.",
            )
        return self.texts[key]

    def value(self, key: str) -> Value:
        """The text under `key` with the fingerprint of the findings behind it."""
        return Value(key=key, text=self(key), fingerprint=self.fingerprint)

    def __iter__(self) -> Iterator[str]:
        return iter(self.texts)


def values(study: str) -> Values:
    """The values of `study` in the release at hand, or empty ones where there is no release."""
    try:
        releases = read_releases(release_folder())
    except ReleaseRefused:
        if (release_folder() / "release.json").exists():
            raise
        return absent(study)
    return values_in(releases, study)


def values_in(releases: tuple[Release, ...], study: str) -> Values:
    """The values of `study` among `releases`, or empty ones where it is not there."""
    for release in releases:
        if release.study == study:
            return release.values
    return absent(study)


def absent(study: str) -> Values:
    """Values of a study that has no release here."""
    return Values(study=study, fingerprint="", texts={}, record={}, present=False)


def release_folder() -> Path:
    """Where pages look for a release."""
    return Path(os.environ[PLACE]) if os.environ.get(PLACE) else DEMO


def nearest_key(key: str, known: Mapping[str, str]) -> str:
    """The nearest spelling, and the keys of the same family rather than all of them."""
    hint = nearest(key, known).split(" Choices:")[0] if len(known) else ""
    family = [other for other in known if other.split(".")[0] == key.split(".")[0]]
    shown = sorted(family)[:12] or sorted({other.split(".")[0] + ".*" for other in known})
    start = hint if hint.startswith("Did") else ""
    return f"{start} Keys like it: {', '.join(shown)}{', ...' if len(family) > len(shown) else ''}.".strip()
