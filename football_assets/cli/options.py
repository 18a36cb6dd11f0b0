"""Option types, and options that several commands share."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])


class _Place(click.Path):
    """A file or folder. `~` is expanded; an empty name, which would be the current folder, is rejected."""

    def convert(
        self, value: str | os.PathLike[str], param: click.Parameter | None, ctx: click.Context | None
    ) -> Any:
        name = os.fspath(value)
        if not name.strip():
            self.fail("the name is empty.", param, ctx)
        return super().convert(os.path.expanduser(name), param, ctx)  # noqa: PTH111


class _Season(click.ParamType):
    """A season, in any spelling that a folder may have: 2015-16, 2015/16, 2015/2016; 2015 is a calendar year."""

    name = "season"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        from football_assets.domain.seasons import parse_season

        label = parse_season(str(value))
        if label is None:
            self.fail(
                f"{value!r} is not a season: write it like 2015-16, or 2015 for a calendar year.", param, ctx
            )
        return label


FOLDER = _Place(file_okay=False, path_type=Path)
FILE = _Place(dir_okay=False, path_type=Path)
EXISTING_FILE = _Place(exists=True, dir_okay=False, path_type=Path)
PATH = _Place(path_type=Path)
SEASON = _Season()
DAY = click.DateTime(["%Y-%m-%d"])


def home_option(command: Command) -> Command:
    """Add `--home FOLDER`, accepted before and after the command's name.

    The last one given is stored as `obj` of the root context.
    """
    return click.option(
        "--home",
        type=FOLDER,
        expose_value=False,
        callback=_store_home,
        help="Folder to work in. Default: FOOTBALL_HOME, else ./football_home.",
    )(command)


def json_option(command: Command) -> Command:
    """Add `--json FILE`, passed as `json_file`."""
    return click.option(
        "--json", "json_file", type=FILE, help="Also write the figures to this file, as JSON."
    )(command)


def plot_option(command: Command) -> Command:
    """Add `--plot FILE`."""
    return click.option("--plot", type=FILE, help="Also draw the figures into this file, as PNG.")(command)


def period_options(command: Command) -> Command:
    """Add the options of a walk-forward evaluation: `--raw` or `--tensors`, `--start`, `--end` and `--odds`."""
    options = (
        click.option(
            "--raw", "folders", type=FOLDER, multiple=True, help="Folder of result files; repeatable."
        ),
        click.option(
            "--tensors",
            "tensors_folder",
            type=FOLDER,
            help="Instead of --raw: the artifact sequence_tensors of an earlier run, as in HOME/bucket/artifacts.",
        ),
        click.option(
            "--start",
            type=DAY,
            required=True,
            help="First day to forecast; the matches before it are for training.",
        ),
        click.option("--end", type=DAY, help="Last day to forecast. Default: the last day with a result."),
        click.option(
            "--odds",
            type=FILE,
            help="CSV of decimal odds: date,season,league,home,away,hg,ag,oh,od,oa.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def _store_home(context: click.Context, _: click.Parameter, value: Path | None) -> None:
    if value is not None:
        context.find_root().obj = value
