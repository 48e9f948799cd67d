"""The `desist` command: every verb, its exit codes, and how a refusal is told.

Exit codes: 0 done; 1 a refusal or a broken contract, explained on stderr; 2 wrong usage. With
`--json` a verb prints one JSON object on stdout, a refusal included.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from pathlib import Path

import typer

from data_contracts.refusal import Refusal
from desist.commands.allocate import allocate
from desist.commands.check import check
from desist.commands.contract import app as contract
from desist.commands.demo import demo
from desist.commands.list import list_
from desist.commands.monitor import monitor
from desist.commands.new import new
from desist.commands.pseudonymise import pseudonymise
from desist.commands.rehearse import rehearse
from desist.commands.release import release
from desist.commands.render import render
from desist.commands.run import run
from desist.commands.synthesise import synthesise
from desist.commands.verify import verify

INTERRUPTED = 130

app = typer.Typer(
    name="desist",
    help="Evaluations of youth-violence work: declared once, analysed as declared, released safely, "
    "rendered with no number typed.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command(short_help="The whole chain on a real trial, from nothing to a report.")(demo)
app.command("list", short_help="What there is to choose from.")(list_)
app.command(short_help="Would this study run, and do these data keep their contracts?")(check)
app.command(short_help="From a study and its data to findings (sensitive).")(run)
app.command(short_help="From findings to what may be published.")(release)
app.command(short_help="From a release to a site: HTML, PDF, docx.")(render)
app.command(short_help="A first study file and its table contract.")(new)
app.add_typer(contract, name="contract")
app.command(short_help="Invented tables that keep every contract, for rehearsal.")(synthesise)
app.command(short_help="The whole chain on invented rows, report included.")(rehearse)
app.command(short_help="Keyed pseudonyms in place of identifiers.")(pseudonymise)
app.command(short_help="A sealed random allocation: commit, draw, enrol, reveal.")(allocate)
app.command(short_help="Prove, or disprove, that nobody chose the draw.")(verify)
app.command(short_help="When a trial stops: bounds, pilot criteria, looks taken.")(monitor)


def main() -> None:
    """Run one verb and leave with its exit code."""
    try:
        code = app(standalone_mode=False)
    except KeyboardInterrupt:
        code = INTERRUPTED
    except BrokenPipeError:
        sys.exit(0)
    except Exception as error:
        code = _explain(error)
    if code == INTERRUPTED:
        _say("Interrupted: nothing was half-written; what was there before is as it was.")
    sys.exit(code if isinstance(code, int) else 0)


def _explain(error: Exception) -> int:
    """Tell `error` without a person's value, and return the exit code."""
    if isinstance(error, typer.Abort):
        return INTERRUPTED
    if hasattr(error, "exit_code") and hasattr(error, "show"):
        error.show()
        return 2
    if isinstance(error, Refusal):
        if "--json" in sys.argv:
            print(json.dumps(error.as_dict(), ensure_ascii=False))  # noqa: T201
        _say(f"{type(error).__name__}: {error}")
        return 1
    if os.environ.get("DESIST_DEBUG"):
        traceback.print_exception(error)
        return 1
    frames = traceback.extract_tb(error.__traceback__)
    ours = [f for f in frames if Path(f.filename).is_relative_to(Path(__file__).resolve().parents[1])]
    last = (ours or frames)[-1]
    _say(
        f"An error of ours, not yours: {type(error).__name__} at {Path(last.filename).name}:{last.lineno}. "
        "Its message is kept back because it could show a person's data; set DESIST_DEBUG=1 where the "
        "data are not sensitive, and please report it."
    )
    return 1


def _say(text: str) -> None:
    print(text, file=sys.stderr)  # noqa: T201


if __name__ == "__main__":
    main()
