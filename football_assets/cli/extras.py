"""Extras of the package that commands need: `pipeline` builds, trains and forecasts, `serve` answers over HTTP."""

from importlib.metadata import packages_distributions
from importlib.util import find_spec

from football_assets.errors import FootballError

PIPELINE, SERVE = "pipeline", "serve"
# One library of each extra that the other extra and the base do not install.
EXTRA_MARKS = {PIPELINE: "dagster", SERVE: "fastapi"}
COMMAND_EXTRAS = {
    "backtest": (PIPELINE,),
    "challenge": (PIPELINE,),
    "clubs": (PIPELINE,),
    "code-location": (PIPELINE,),
    "compare": (PIPELINE,),
    "demo": (PIPELINE,),
    "land": (PIPELINE,),
    "materialize": (PIPELINE,),
    "metrics": (PIPELINE,),
    "models": (PIPELINE,),
    "predict": (SERVE,),
    "prune": (PIPELINE,),
    "serve": (SERVE,),
    "sync": (PIPELINE,),
    "train": (PIPELINE,),
    "up": (PIPELINE, SERVE),
    "validate": (PIPELINE,),
}


class MissingExtra(FootballError):
    """A command needs an extra that is not installed."""


def require_extras(command: str, *extras: str) -> None:
    """Check that extras are installed, importing nothing.

    Parameters
    ----------
    command
        Name of the command, for the message.

    Raises
    ------
    MissingExtra
        An extra is not installed.
    """
    missing = [extra for extra in extras if find_spec(EXTRA_MARKS[extra]) is None]
    if missing:
        raise _missing(command, missing)


def explain_missing_module(error: ModuleNotFoundError, command: str | None) -> Exception:
    """Return the error to raise for a module that a command did not find.

    Returns
    -------
    Exception
        A `MissingExtra` that names the extras, or the error itself if the module belongs to no extra of the command.
    """
    module = (error.name or "").partition(".")[0]
    if command not in COMMAND_EXTRAS or module in {"", "football_assets", "serve"}:
        return error
    if module in packages_distributions():  # it is installed, and lacks a part
        return error
    return _missing(command, COMMAND_EXTRAS[command])


def _missing(command: str, extras: tuple[str, ...] | list[str]) -> MissingExtra:
    named = ",".join(extras)
    return MissingExtra(
        f"`football {command}` needs the extra{'s' * (len(extras) > 1)} {named} of the package: "
        f"pip install 'football-assets[{named}]'."
    )
