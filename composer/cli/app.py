"""Entry point of the command line: parse, run a command, turn errors into messages and exit codes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from enum import IntEnum
from typing import Annotated, Any

import typer

from composer import __version__
from composer.api import CheckpointError, ComposerError, OptionError, UsageError
from composer.cli import interrupts
from composer.cli.command import CONTEXT, DEFAULTS, LazyGroup, plain_app
from composer.cli.console import ClosedPipe, Console, discard_output
from composer.cli.usage_errors import explain
from composer.registry.reporting import report_to
from composer.system.paths import CONFIG_VARIABLE, config_file
from composer.system.warnings import warn_once

EPILOG = "For help with a command: composer COMMAND --help. To get started: composer help tutorial."


class ExitCode(IntEnum):
    """Exit codes of the process."""

    OK = 0
    ERROR = 1
    USAGE = 2


def main(arguments: Sequence[str] | None = None, console: Console | None = None) -> int:
    """Run the program and return its exit code. Defaults to the process's own arguments and streams."""
    import sys

    interrupts.forget()
    report_to(warn_once)
    given = list(sys.argv[1:] if arguments is None else arguments)
    console = console or Console()
    if request := console.environ.get("_COMPOSER_COMPLETE"):
        from composer.cli.completion import answers

        return answers.answer(command_tree(), request, console)
    debug = _take_flag(given, "--debug") or console.environ.get("COMPOSER_DEBUG") == "1"
    try:
        return _run(given, console)
    except ClosedPipe:
        discard_output(console.stdout)
        return ExitCode.OK
    except KeyboardInterrupt:
        console.say("interrupted")
        return interrupts.exit_code()
    except Exception as error:
        if interrupts.was_raised():  # a library turned the interruption into an error of its own
            console.say("interrupted")
            return interrupts.exit_code()
        if debug:
            import traceback

            console.print_error(traceback.format_exc().rstrip())
        return _report(error, console)


def _run(arguments: list[str], console: Console) -> int:
    """Parse and run a command. Raises whatever goes wrong."""
    program = command_tree()
    try:
        with console.library_output(), program.make_context("composer", arguments, obj=console) as context:
            context.meta[DEFAULTS] = _set_defaults
            program.invoke(context)
    except typer.Exit as stop:
        return stop.exit_code
    return ExitCode.OK


def _set_defaults(command: Any, context: Any, arguments: Sequence[str]) -> None:
    """Use the configuration file, if there is one, for the options of a command. Raises UsageError."""
    path = config_file()
    if path is None or not path.exists():
        if path is not None and os.environ.get(CONFIG_VARIABLE) and command.name != "config":  # which may create it
            warn_once(f"{CONFIG_VARIABLE} names a file that does not exist: {path}")
        return
    from composer.cli.config import defaults

    defaults.apply(path, command, context, arguments, context.obj.environ)


def command_tree() -> Any:
    """Return the program as a tree of Typer commands."""
    app = plain_app(cls=LazyGroup, context_settings=CONTEXT, epilog=EPILOG)
    app.callback(invoke_without_command=True)(composer)
    return typer.main.get_command(app)


def composer(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Print a traceback on errors.")] = False,
) -> None:
    """Generate music in the terminal. Try `composer gen abc`."""
    if version:
        context.obj.write(f"composer {__version__}\n")
    elif context.invoked_subcommand is None:
        context.obj.print_error(context.get_help())
        raise typer.Exit(ExitCode.USAGE)


def _report(error: Exception, console: Console) -> int:
    """Print an error and its hint, and return the exit code."""
    if isinstance(error, ComposerError):
        console.fail(error.message, _recovery_hint(error) or error.hint)
        return ExitCode.USAGE if isinstance(error, UsageError | OptionError) else ExitCode.ERROR
    if isinstance(error, typer.TyperException):
        message, hint = explain(error)
        console.fail(message, hint)
        return ExitCode.USAGE
    if isinstance(error, MemoryError):
        console.fail("out of memory", "use a smaller --batch-size, --length or --set batch_size=")
        return ExitCode.ERROR
    if isinstance(error, OSError) and error.strerror:  # the names of files, and what the system allows, are the user's
        place = f": '{error.filename}'" if error.filename is not None else ""
        console.fail(f"{error.strerror.lower()}{place}", "check the name, the permissions and the free space")
        return ExitCode.ERROR
    text = " ".join(str(error).split())
    message = f"internal error: {type(error).__name__}{': ' * bool(text)}{text}"
    console.fail(message, "please report it with the output of --debug")
    return ExitCode.ERROR


def _recovery_hint(error: ComposerError) -> str | None:
    """Return how to get a damaged model back, None if it cannot be or if the error is another."""
    if not isinstance(error, CheckpointError):
        return None
    from composer.checkpoints.recovery import recovery_hint

    return recovery_hint(error)


def _take_flag(arguments: list[str], flag: str) -> bool:
    """Remove `flag` from anywhere before `--` and return whether it was there."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    if flag not in arguments[:end]:
        return False
    arguments[:end] = [argument for argument in arguments[:end] if argument != flag]
    return True
