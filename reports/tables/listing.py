"""Lists: the studies of a site, a study's sources, and the notice shown where there is no release."""

from __future__ import annotations

from reports.neutral import markdown
from reports.release import ReleaseRefused, read_releases
from reports.values import Values, release_folder

NO_RELEASE = """
::: {.callout-important}
## No release was found

This page prints only what a release holds, and there is none here. Run `make demo` for the example study,
or `desist release RUN --out REL` and `desist render REL --out SITE` for your own.
:::
"""


def notice(v: Values) -> str:
    """Nothing, or what to run where the study has no release."""
    return "" if v.present else NO_RELEASE


def studies() -> str:
    """Every study in the release at hand: its title, its answer, its standing, and a link to its page."""
    try:
        releases = read_releases(release_folder())
    except ReleaseRefused:
        if (release_folder() / "release.json").exists():
            raise
        return NO_RELEASE
    parts = []
    for release in releases:
        v = release.values
        parts.append(
            f"::: {{.study}}\n## [{markdown(v('study.title'))}](studies/{release.study}.qmd)\n\n"
            f"{markdown(v('primary.answer'))}\n\n"
            f"{markdown(v('primary.caution'))}\n\n"
            f"[{markdown(v('study.status').capitalize())}]{{.badge}} {markdown(v('primary.in_figures'))}\n:::\n"
        )
    return "\n".join(parts)


def sources(v: Values) -> str:
    """The study's published sources, as a list."""
    found = v.record.get("protocol", {}).get("sources", ()) if v.present else ()
    if v.present and not found:
        return "\nThe study declares no published sources.\n"
    return "\n" + "\n".join(f"- {markdown(source)}" for source in found) + "\n" if found else ""
