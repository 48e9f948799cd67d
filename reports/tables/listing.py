"""Lists: a site's studies and data dictionaries, a study's sources, and the notice where there is no release."""

from __future__ import annotations

from data_contracts.read import feed_names
from reports import wording as w
from reports.dictionaries import Dictionary, dictionary, of_study, on_site
from reports.neutral import markdown
from reports.release import Release, ReleaseRefused, read_releases
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
    releases = _releases()
    if not releases:
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


def further() -> str:
    """Where a reader finds what the tables hold; nothing where the site has no dictionaries."""
    if not on_site("index"):
        return ""
    return (
        "\nWhat each table of data holds, who answers for it and what may be published from it is in the "
        "[data dictionaries](contracts/index.html).\n"
    )


def dictionaries() -> str:
    """Every data dictionary of the site: first those of the tables that its studies read, then the feeds."""
    parts = []
    for release in _releases():
        found = [d for d in of_study(release.values) if on_site(d.page)]
        if found:
            parts.append(f"\n## Read by: {markdown(release.title)}\n\n{_lines(found)}\n")
    feeds = sorted((dictionary(name) for name in feed_names() if on_site(name)), key=lambda d: d.title)
    parts.append(f"\n## All feeds that come with the software {{#feeds}}\n\n{_lines(feeds)}\n")
    return "\n".join(parts)


def _lines(found: list[Dictionary]) -> str:
    return "\n".join(
        f"- [{markdown(d.title)}]({d.page}.qmd): {markdown(w.sentence(str(d.content['grain'])))}"
        for d in found
    )


def _releases() -> tuple[Release, ...]:
    try:
        return read_releases(release_folder())
    except ReleaseRefused:
        if (release_folder() / "release.json").exists():
            raise
        return ()


def sources(v: Values) -> str:
    """The study's published sources, as a list."""
    found = v.record.get("protocol", {}).get("sources", ()) if v.present else ()
    if v.present and not found:
        return "\nThe study declares no published sources.\n"
    return "\n" + "\n".join(f"- {markdown(source)}" for source in found) + "\n" if found else ""
