"""Exit codes of the command, and its error messages."""

import os
from pathlib import Path

import click

from football_assets.errors import FootballError, explain
from football_assets.runtime.streams import discard_output

EXIT_FAILURE = 1
EXIT_INTERRUPTED = 130  # 128 + SIGINT, as shells report it


def report_error(error: BaseException) -> int:
    """Print an error as one line on standard error; usage errors also print the usage.

    Returns
    -------
    int
        1 for a `FootballError` and for an error of the machine such as a full disk, 2 for wrong usage, 130 for Ctrl-C.

    Raises
    ------
    BaseException
        The error itself where none of these applies: it is a fault of the program and needs its traceback.
    """
    match error:
        case click.ClickException():
            error.show()
            return error.exit_code
        case FootballError():
            line = " ".join(str(error).split())
        case click.Abort() | KeyboardInterrupt():
            click.echo("football: interrupted.", err=True)
            return EXIT_INTERRUPTED
        case BrokenPipeError():  # the reader of the output has ended, as `head` does
            discard_output()
            return EXIT_FAILURE
        case _:
            explanation = explain(error, _written_folders())
            if explanation is None:
                raise error
            line = explanation
            discard_output()  # or Python would fail on the same write at its exit
    click.echo(f"football: {line}", err=True)
    return EXIT_FAILURE


def _written_folders() -> list[Path]:
    return [
        Path(os.environ.get("FOOTBALL_HOME") or "football_home"),
        Path(os.environ.get("TMPDIR") or "/tmp"),
    ]
