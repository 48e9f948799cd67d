"""Lists: the studies of a site, a study's sources, and the notice shown where there is no release."""

from __future__ import annotations

from reports.neutral import markdown
from reports.release import ReleaseRefused, read_releases
from reports.values import Values, release_folder

INVENTED = "Synthetic rows"
"""How the source of a dry run's tables begins."""
REHEARSAL = "The rows were invented to try the chain out: nothing on this page is a finding."
NO_RELEASE = """
::: {.callout-important}
## No release was found

This page prints only what a release holds, and there is none here. Run `make demo` for the example study,
or `desist release RUN --out REL` and `desist render REL --out SITE` for your own.
:::
"""


def notice(v: Values) -> str:
    """Nothing, or what to run where the study has no release."""
    if not v.present:
        return NO_RELEASE
    return f"\n::: {{.standing}}\n**Rehearsal.** {REHEARSAL}\n:::\n" if rehearsal(v) else ""


def rehearsal(v: Values) -> bool:
    """Whether any table behind these values was invented for a dry run."""
    return any(str(t.get("source", "")).startswith(INVENTED) for t in v.record.get("tables", ()))


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
            f"{'**Rehearsal.** ' + REHEARSAL if rehearsal(v) else ''}\n\n"
            f"{markdown(v('primary.answer'))}\n\n"
            f"{markdown(v('primary.caution'))}\n\n"
            f"[{markdown(v('primary.status').capitalize())}]{{.badge}} {markdown(v('primary.in_figures'))}\n:::\n"
        )
    return "\n".join(parts)


def sources(v: Values) -> str:
    """The study's published sources, as a list."""
    found = v.record.get("protocol", {}).get("sources", ()) if v.present else ()
    if v.present and not found:
        return "\nThe study declares no published sources.\n"
    return "\n" + "\n".join(f"- {markdown(source)}" for source in found) + "\n" if found else ""
