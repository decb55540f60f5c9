"""The command line: each command turns its words into one call, and prints what comes back.

Nothing heavy is imported before a command runs, so that help answers at once.
"""

import os
import sys
from typing import Annotated, NoReturn

import typer

from synaptree.cli import bench, grammar, interrupt, reproduce, rules, studies, train, words
from synaptree.errors import SynaptreeError

app = typer.Typer(
    name="synaptree",
    help="Which learning rules find the hidden hierarchy of high-dimensional data, and what must "
    "each synapse know for it?",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
study = typer.Typer(help="Run many runs from a file; see docs/studies.md.", no_args_is_help=True)
trees = typer.Typer(help="Show a Random Hierarchy Model.", no_args_is_help=True)
app.command()(reproduce.reproduce)
app.add_typer(study, name="study")
study.command("run")(studies.study_run)
study.command("status")(studies.study_status)
study.command("export")(studies.study_export)
app.command()(reproduce.report)
app.command()(train.train)
app.command("rules")(rules.rules_command)
app.command("audit")(rules.audit_command)
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
        typer.Option("--version", help="Version and commit.", callback=_version, is_eager=True),
    ] = False,
) -> None:
    """Options of the program itself; what it is for is said above, in `help`."""


def main() -> None:
    """The entry point.  A user's mistake is one line and an exit code, never a traceback."""
    with interrupt.one_line():
        _main()


def _main() -> None:
    try:
        code = app(prog_name="synaptree", standalone_mode=False)
    except SynaptreeError as fault:
        _fail(str(fault), fault.exit_code)
    except typer.TyperException as fault:
        # No arguments at all: typer has already printed the help, and there is no message.
        hint = rules.option_hint(fault)
        _fail(fault.format_message().replace("\n", " ") + hint)
    except (KeyboardInterrupt, typer.Abort):
        code = words.INTERRUPTED
    except BrokenPipeError:
        # The reader went away (| head): there is nothing left to say, nor to flush at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(words.NO_READER)
    if code == words.INTERRUPTED:  # typer turns Ctrl-C into this code
        keeps = sys.argv[1:2] in (["reproduce"], ["study"])
        words.complain("stopped; what was finished is kept" if keeps else "stopped")
    sys.exit(code if isinstance(code, int) else 0)


def _fail(message: str, code: int = words.REFUSED) -> NoReturn:
    words.complain(message)
    sys.exit(code)
