"""The command line: each command turns its arguments into one call, and prints the result.

Nothing heavy is imported before a command runs, so that `--help` answers at once.
"""

import sys
import warnings
from pathlib import Path
from typing import Annotated, Any

import typer

from synaptree.cli import (
    bench,
    grammar,
    interrupt,
    judge,
    needs,
    reproduce,
    rules,
    search,
    signal,
    streams,
    studies,
    train,
    words,
)
from synaptree.errors import MOST_SHOWN, SynaptreeError
from synaptree.safely import LeftOut, printable

LONGEST_PATH = 250  # a path with more characters is shortened in a message

app = typer.Typer(
    name="synaptree",
    help="Find out which learning rules discover the hidden hierarchy of high-dimensional data, "
    "and what each synapse must know for it.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
study = typer.Typer(
    help="Train many runs that a file describes; see docs/studies.md.", no_args_is_help=True
)
trees = typer.Typer(help="Show a grammar (Random Hierarchy Model).", no_args_is_help=True)
app.command()(reproduce.reproduce)
app.add_typer(study, name="study")
study.command("run")(studies.study_run)
study.command("search")(search.study_search)
study.command("needs")(needs.study_needs)
study.command("status")(studies.study_status)
study.command("export")(studies.study_export)
app.command()(reproduce.report)
app.command()(judge.judge)
app.command()(train.train)
app.command("rules")(rules.rules_command)
app.command("check")(rules.check_command)
app.command("audit")(rules.audit_command)
app.command()(signal.signal)
app.command("needs")(needs.needs)
app.command("bench")(bench.bench)
app.add_typer(trees, name="grammar")
trees.command("show")(grammar.grammar_show)
trees.command("info")(grammar.grammar_info)


def _version(asked: bool) -> None:
    if asked:
        from synaptree.version import code_version

        words.say(f"synaptree {code_version()}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Show the version and the commit.", callback=_version, is_eager=True
        ),
    ] = False,
) -> None:
    """Options of the program itself. Its help text is in `help` above."""


def main() -> None:
    """The entry point.  A user's mistake gives one line and an exit code, never a traceback."""
    with interrupt.one_line():
        _main()


def _main() -> None:
    streams.make_printable()
    with warnings.catch_warnings():
        warnings.simplefilter("always", LeftOut)
        warnings.showwarning = _show_once()
        try:
            code = _run()
            streams.finish()
        except (BrokenPipeError, SystemExit) as fault:
            # typer and rich turn a broken pipe into exit code 1, which here means failed runs.
            if BrokenPipeError not in (type(fault), type(fault.__context__)):
                raise
            # The reader has ended (| head): nothing more can be printed or flushed.
            streams.silence(1)
            code = words.NO_READER
        except OSError as fault:
            code = _output_failed(fault)
    sys.exit(code)


def _run() -> int:
    """Run the command that was typed, and return its exit code."""
    try:
        code = app(prog_name="synaptree", standalone_mode=False)
    except SynaptreeError as fault:
        return _fail(_shortened(str(fault), LONGEST_PATH), fault.exit_code)
    except typer.TyperException as fault:
        # No arguments at all: typer has already printed the help, and there is no message.
        message = fault.format_message().replace("\n", " ")
        if hint := rules.option_hint(fault):
            message = message.partition(" (Possible options")[0]  # names that merely look alike
        return _fail(_shortened(message, MOST_SHOWN) + hint)
    except (KeyboardInterrupt, typer.Abort):
        code = words.INTERRUPTED
    if code == words.INTERRUPTED:  # typer turns Ctrl-C into this code
        words.complain(interrupt.line())
    return code if isinstance(code, int) else 0


def _output_failed(fault: OSError) -> int:
    """Say in one line what the system refused to do."""
    if fault.filename is None and (reason := streams.failure()):
        words.complain(f"output: cannot be written ({reason}); what was finished is kept")
        return words.NO_OUTPUT
    where = f"{fault.filename}: " if fault.filename else ""
    reason = (fault.strerror or str(fault)).lower()
    return _fail(_shortened(f"{where}refused by the system ({reason})", LONGEST_PATH))


def _fail(message: str, code: int = words.REFUSED) -> int:
    words.complain(message)
    return code


def _shortened(message: str, most: int) -> str:
    """A message in which typed words with more than `most` characters are cut to 80."""
    for word in sys.argv[1:]:
        for typed in (word, word.partition("=")[2]):
            if len(typed) > most:
                for form in (typed, repr(typed)[1:-1], printable(typed), str(Path(typed))):
                    message = message.replace(form, f"{form[:MOST_SHOWN]}…")
    return message


def _show_once() -> Any:
    """A `showwarning` that prints each `LeftOut` only once, since folders are read repeatedly."""
    shown: set[str] = set()
    otherwise = warnings.showwarning

    def show(message: Warning | str, category: type[Warning], *where: Any) -> None:
        if not issubclass(category, LeftOut):
            otherwise(message, category, *where)
        elif str(message) not in shown:
            shown.add(str(message))
            words.complain(str(message))

    return show
