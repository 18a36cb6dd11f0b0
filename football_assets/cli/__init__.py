"""The `football` command. Each command prepares the home, calls one function or runs assets, and prints.

Imports of more than a few milliseconds are inside the commands, so that help and usage errors answer at once.
"""

import io
import json
import os
import secrets
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from football_assets.errors import FootballError, advice_for, explain, reason_of
from football_assets.runtime.streams import discard_output, prepare_streams
from football_assets.storage.model_files import METRICS, MODEL_CARD

if TYPE_CHECKING:
    import polars as pl
    from rich.table import Table

    from football_assets.cli.terminal import WorkProgress
    from football_assets.orchestration.in_process_runs import RunSummary
    from football_assets.registry.store import Registry
    from football_assets.sequences.tensors import SequenceTensors
    from football_assets.settings import Settings
    from football_assets.training.fit import Epoch

Command = TypeVar("Command", bound=Callable[..., Any])

REFUSED = 1
INTERRUPTED = 130
FIXTURES_SHOWN = 12
TREES_INPUTS_SHOWN = 15
# Not run unasked: a backtest needs a period, serving_deployment a running Ray Serve, synced_results the outside world,
# and a sweep takes long.
EVERYTHING = 'not (key:"backtest" or key:"serving_deployment" or key:"sweep" or key:"synced_results")'
BACKTEST_COLUMNS = [
    "date",
    "league_id",
    "season",
    "home_team",
    "away_team",
    "home_goals",
    "away_goals",
    "p_home",
    "p_draw",
    "p_away",
    "xg_home",
    "xg_away",
]
SERVE_PROGRAM = (sys.executable, "-m", "football_assets.cli", "serve", "--supervised")


class _Place(click.Path):
    """A file or folder. `~` is expanded; an empty name, which would be the current folder, is refused."""

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
                f"{value!r} is no season: write it like 2015-16, or 2015 for a calendar year.", param, ctx
            )
        return label


FOLDER = _Place(file_okay=False, path_type=Path)
FILE = _Place(dir_okay=False, path_type=Path)
PATH = _Place(path_type=Path)
SEASON = _Season()
DAY = click.DateTime(["%Y-%m-%d"])


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit code: 0 fine, 1 refused with a message, 2 usage.

    Errors of the machine, like a full disk, are one line too. Any other exception is a fault of the program and leaves
    with its traceback.
    """
    if not sys.warnoptions:
        warnings.simplefilter("ignore")
    prepare_streams()
    try:
        code = football.main(arguments, prog_name="football", standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except FootballError as error:
        click.echo(f"football: {' '.join(str(error).split())}", err=True)
        return REFUSED
    except (click.Abort, KeyboardInterrupt):
        click.echo("football: interrupted.", err=True)
        return INTERRUPTED
    except BrokenPipeError:  # the reader of the output has ended, like `head`
        discard_output()
        return REFUSED
    except Exception as error:
        return _explained(error)
    return code if isinstance(code, int) else 0


def _explained(error: Exception) -> int:
    home = Path(os.environ.get("FOOTBALL_HOME") or "football_home")
    line = explain(error, [home, Path(os.environ.get("TMPDIR") or "/tmp")])
    if line is None:
        raise error
    discard_output()  # what could not be written would be tried again at the end
    click.echo(f"football: {line}", err=True)
    return REFUSED


def _remember_home(context: click.Context, _: click.Parameter, value: Path | None) -> None:
    if value is not None:
        context.find_root().obj = value


def home_option(command: Command) -> Command:
    """`--home`, accepted before and after the command's name."""
    return click.option(
        "--home",
        type=FOLDER,
        expose_value=False,
        callback=_remember_home,
        help="Folder to work in. Default: FOOTBALL_HOME, else ./football_home.",
    )(command)


def json_option(command: Command) -> Command:
    """`--json FILE`."""
    return click.option(
        "--json", "json_file", type=FILE, help="Also write the figures to this file, as JSON."
    )(command)


def walk_options(command: Command) -> Command:
    """What is walked through: `--raw` or `--tensors`, `--start`, `--end` and `--odds`."""
    options = (
        click.option(
            "--raw", "folders", type=FOLDER, multiple=True, help="Folder of result files; repeatable."
        ),
        click.option(
            "--tensors",
            "tensors_folder",
            type=FOLDER,
            help="Instead of --raw: sequence_tensors that a run has made, as in HOME/bucket/artifacts.",
        ),
        click.option(
            "--start",
            type=DAY,
            required=True,
            help="First day to forecast; everything before it is learnt from.",
        ),
        click.option("--end", type=DAY, help="Last day to forecast. Default: the last day with a result."),
        click.option(
            "--odds",
            type=FILE,
            help="CSV of decimal odds: date,season,league,home,away,hg,ag,oh,od,oa. Odds in the results count too.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def plot_option(command: Command) -> Command:
    """`--plot FILE.png`."""
    return click.option("--plot", type=FILE, help="Also draw the figures into this file, as PNG.")(command)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="football-assets")
@home_option
def football() -> None:
    """Football match forecasts: results in, probabilities out, as one graph of Dagster assets."""


@football.command()
@home_option
@json_option
def demo(json_file: Path | None) -> None:
    """Land the bundled results, run the whole graph, and forecast the fixtures not yet played."""
    started = time.monotonic()
    settings = _prepare_home(for_runs=True)
    _check_writable(json_file)
    from football_assets.raw.landing import land
    from football_assets.sample import sample_folder
    from football_assets.storage.bucket import open_bucket

    bucket = open_bucket(settings.bucket_url)
    landed = land(bucket, [sample_folder()])
    click.echo(
        f"Landed {len(landed.objects)} files of {len(landed.seasons)} seasons in {bucket.url}.", err=True
    )
    _materialize(settings, EVERYTHING)
    figures = _demo_figures(settings)
    figures["seconds"] = round(time.monotonic() - started, 1)
    _write_json(json_file, figures)
    click.echo(
        f"{figures['seconds']:.0f} s in all. See the runs, lineage, plots and checks with `football up`.",
        err=True,
    )


@football.command()
@home_option
@click.argument("paths", nargs=-1, required=True, type=PATH, metavar="PATH...")
def land(paths: tuple[Path, ...]) -> int:
    """Copy files of results, or folders of them, into the bucket.

    Accepted: openfootball JSON, footballcsv CSV and football-data.co.uk CSV, each in a folder named after its season,
    as in 2015-16/eng.1.csv or 2015-16/E0.csv; football-data.co.uk's files that span leagues or seasons (fixtures.csv,
    new_league_fixtures.csv, ARG.csv); and the folder of the Kaggle competition "Football Match Probability Prediction"
    (train.csv, test.csv, train_target_and_scores.csv).

    Prints what each file holds, and how many of its records are rejected with the first reason. Ends with 1 if a file
    holds no match, or another division than its name says; the others land.
    """
    settings = _prepare_home()
    from football_assets.raw.landing import land as land_files
    from football_assets.raw.landing.report import problem_lines, report_lines
    from football_assets.storage.bucket import open_bucket

    result = land_files(open_bucket(settings.bucket_url), paths)
    for line in problem_lines(result):
        click.echo(line, err=True)
    for line in report_lines(result):
        click.echo(line)
    return 0 if result.is_complete else REFUSED


@football.command()
@home_option
@click.argument(
    "sources", nargs=-1, required=True, type=click.Choice(["openfootball", "footballcsv", "football-data"])
)
@click.option(
    "--season",
    "seasons",
    type=SEASON,
    multiple=True,
    help="Season, like 2025-26 or 2025; repeatable. Default: those being played.",
)
@click.option("--league", "leagues", multiple=True, help="League, like eng.1; repeatable. Default: all.")
def sync(sources: tuple[str, ...], seasons: tuple[str, ...], leagues: tuple[str, ...]) -> None:
    """Fetch current results from public SOURCES into the bucket.

    Only what changed is fetched and written. A file that is cut, is no results, or has lost matches is refused, and the
    one that landed before stays.
    """
    settings = _prepare_home()
    from football_assets.cli.terminal import results_console, rows_table
    from football_assets.raw.sync.results import SyncedFile, sync_results
    from football_assets.storage.bucket import open_bucket

    def report(file: SyncedFile) -> None:
        click.echo(f"{file.status:<10}{file.url}", err=True)

    bucket = open_bucket(settings.bucket_url)
    result = sync_results(
        bucket, settings, sources, today=date.today(), seasons=seasons, leagues=leagues, report=report
    )
    rows = [
        (file.source, file.season, file.league_id, file.status, file.matches or "", file.note)
        for file in result.files
    ]
    columns = ("source", "season", "league", "status", "matches", "note")
    results_console().print(rows_table(columns, rows, result.summary))
    if result.problem:
        raise FootballError(result.problem)


@football.command()
@home_option
@click.option(
    "--select",
    "selection",
    default=EVERYTHING,
    help="Assets, like trained_lstm+ or raw_matches,stg_matches. "
    "Default: all but backtest, serving_deployment, sweep and synced_results.",
)
@click.option(
    "--season",
    "seasons",
    type=SEASON,
    multiple=True,
    help="Season to land, like 2015-16; repeatable. Default: all.",
)
@click.option(
    "--config",
    "config_file",
    type=_Place(exists=True, dir_okay=False, path_type=Path),
    help="Run configuration as in Dagster's launchpad, YAML.",
)
def materialize(selection: str, seasons: tuple[str, ...], config_file: Path | None) -> None:
    """Run assets and their checks, as one Dagster run."""
    run_config = _read_config(config_file) if config_file else None
    _materialize(_prepare_home(for_runs=True), selection, seasons, run_config)


@football.command()
@home_option
@walk_options
@click.option("--out", type=FILE, required=True, help="Parquet file to write, one row a forecast match.")
@click.option(
    "--retrain",
    type=click.Choice(["never", "season"]),
    default="never",
    help="season: train again every 1 July, and report what that is worth beside the network that stays as it is.",
)
@plot_option
@json_option
def backtest(
    folders: tuple[Path, ...],
    tensors_folder: Path | None,
    start: datetime,
    end: datetime | None,
    odds: Path | None,
    out: Path,
    retrain: str,
    plot: Path | None,
    json_file: Path | None,
) -> None:
    """Train on everything before a day, then forecast each later match from what was known before its own day.

    Works in a scratch home of its own that is removed afterwards. With --retrain season, also prints what flat stakes
    on value bets would have won at the odds that are known; --odds and --plot go with it.
    """
    if retrain == "never" and (odds or plot):
        raise click.BadParameter("--odds and --plot go with --retrain season", param_hint="--retrain")
    for file in (out, plot, json_file):
        _check_writable(file)
    started = time.monotonic()
    with _walk(folders, tensors_folder, start, end, odds) as walk:
        figures = (_rolling_backtest if retrain == "season" else _frozen_backtest)(walk, out, plot)
    _write_json(json_file, figures | {"seconds": round(time.monotonic() - started, 1)})


@football.command()
@home_option
@walk_options
@click.option(
    "--out", type=FILE, help="Parquet file to write: one row a match, with everybody's probabilities."
)
@plot_option
@json_option
def compare(
    folders: tuple[Path, ...],
    tensors_folder: Path | None,
    start: datetime,
    end: datetime | None,
    odds: Path | None,
    out: Path | None,
    plot: Path | None,
    json_file: Path | None,
) -> None:
    """Score every forecaster side by side on the same matches: overall, by tier, by season, and where there are odds.

    Class prior, Elo, Dixon–Coles, boosted trees, the LSTM and the bookmaker, each walking forward as a backtest does.
    Behind a score stands what it is above the LSTM's, in thousandths, with a 95 % interval from a bootstrap of
    league-weeks.
    """
    for file in (out, plot, json_file):
        _check_writable(file)
    from football_assets.cli.terminal import block_table, results_console, rows_table
    from football_assets.comparison.comparison import compare_forecasters
    from football_assets.comparison.plots import comparison_plot
    from football_assets.orchestration.figures import to_png

    started = time.monotonic()
    with _walk(folders, tensors_folder, start, end, odds) as walk:
        result = compare_forecasters(
            walk.tensors, walk.start, walk.end, progress=walk.progress, on_epoch=walk.on_epoch
        )
    figures = result.as_dict() | {"seconds": round(time.monotonic() - started, 1)}
    if out is not None:
        _write_parquet(out, result.forecasts)
    if plot is not None:
        _write_file(plot, to_png(comparison_plot(result)))
    _write_json(json_file, figures)
    console = results_console()
    for block in result.blocks:
        console.print(block_table(block))
    largest = list(result.importances.items())[:TREES_INPUTS_SHOWN]
    if largest:
        shares = [(name, f"{share:.1%}") for name, share in largest]
        console.print(rows_table(("input", "share of the gain"), shares, "What the trees look at"))
    for note in (*walk.notes, *result.notes):
        console.print(note, soft_wrap=True, markup=False)


@football.command()
@home_option
@click.argument("league")
@click.argument("home_team", metavar="HOME")
@click.argument("away_team", metavar="AWAY")
@click.option(
    "--date",
    "day",
    type=DAY,
    help="Day of the match. Default: the next fixture of the two teams in that league's list, else today.",
)
def predict(league: str, home_team: str, away_team: str, day: datetime | None) -> None:
    """Forecast one match with the production model, from the teams' names: `Man Utd` is Manchester United."""
    settings = _prepare_home()
    from football_assets.cli.terminal import fixtures_table, results_console
    from football_assets.forecasting.fixtures import forecast_match, listed_days

    registry = _registry(settings)
    kickoff = day.date() if day else None
    forecast = forecast_match(registry, settings.scratch, league, home_team, away_team, kickoff)
    results_console().print(fixtures_table(forecast, f"Model version {forecast['model_version'][0]}"))
    names = forecast.row(0, named=True)
    overdue = listed_days(registry.bucket).overdue(names["league_id"], names["home_team"], names["away_team"])
    if overdue:
        click.echo(f"Date passed, no result yet: {', '.join(map(str, overdue))}.")


@football.command()
@home_option
@click.option(
    "--raw",
    "folders",
    type=FOLDER,
    multiple=True,
    help="Folder of result files to compare instead of what has landed; repeatable.",
)
@click.option(
    "--season", "seasons", type=SEASON, multiple=True, help="Season, like 2015-16; repeatable. Default: all."
)
@json_option
def clubs(folders: tuple[Path, ...], seasons: tuple[str, ...], json_file: Path | None) -> int:
    """Compare the clubs of leagues that two or more sources have, and list every club that does not match.

    Ends with 1 if two names of one club play different fixtures on the same days.
    """
    settings = _prepare_home()
    _check_writable(json_file)
    from tempfile import TemporaryDirectory

    from football_assets.cli.terminal import club_tables, results_console
    from football_assets.raw.landing import inventory
    from football_assets.raw.landing import land as land_files
    from football_assets.raw.matches import named_entries
    from football_assets.raw.matching.club_report import club_report
    from football_assets.storage.bucket import open_bucket

    with TemporaryDirectory(prefix="football-clubs-") as scratch:
        bucket = open_bucket(scratch if folders else settings.bucket_url)
        if folders:
            land_files(bucket, folders)
        landed = inventory(bucket).seasons
        unknown = sorted(set(seasons) - set(landed))
        if unknown:
            raise FootballError(
                f"No results of {', '.join(unknown)} have landed. Seasons: {', '.join(landed) or 'none'}."
            )
        report = club_report(named_entries(bucket, seasons or landed, date.today()))
    _write_json(json_file, report.as_dict())
    console = results_console()
    for table in club_tables(report):
        console.print(table)
    return REFUSED if report.contradictions.height else 0


@football.group(invoke_without_command=True)
@home_option
@click.pass_context
def models(context: click.Context) -> None:
    """List, show, promote or roll back model versions. Without a command: list."""
    if context.invoked_subcommand is None:
        context.invoke(list_models)


@models.command("list")
@home_option
def list_models() -> None:
    """Versions, their aliases and their scores."""
    registry = _registry(_prepare_home())
    from football_assets.cli.terminal import results_console, rows_table

    aliases = registry.aliases()
    rows = []
    for version in registry.versions():
        manifest = registry.manifest(version)
        decision = registry.decision(version)
        rows.append(
            (
                version,
                ", ".join(alias for alias, target in aliases.items() if target == version),
                f"{manifest.published:%Y-%m-%d %H:%M} UTC",
                "" if decision is None else "accepted" if decision.get("accepted") else "refused",
                f"{sum(file.bytes for file in manifest.files.values()) / 1e6:.1f} MB",
            )
        )
    if not rows:
        raise FootballError(
            f"No model version is registered in {registry.bucket.url}: run `football materialize`."
        )
    results_console().print(rows_table(("version", "alias", "published", "gate", "size"), rows))


@models.command("show")
@home_option
@click.argument("version", default="production")
def show_model(version: str) -> None:
    """The model card of a VERSION: a number, or production (the default), candidate or previous."""
    settings = _prepare_home()
    registry = _registry(settings)
    from rich.markdown import Markdown

    from football_assets.cli.terminal import results_console

    card = (registry.fetch(version, settings.scratch) / MODEL_CARD).read_text(encoding="utf-8")
    results_console().print(Markdown(card))
    decision = registry.decision(registry.resolve(version))
    for reason in decision["reasons"] if decision else ():
        click.echo(f"gate: {reason}")


@models.command("promote")
@home_option
@click.argument("version")
def promote_model(version: str) -> None:
    """Make VERSION, a number or an alias, production, whatever the gate said."""
    registry = _registry(_prepare_home())
    _echo_aliases(registry.promote(registry.resolve(version)))


@models.command("rollback")
@home_option
def roll_back() -> None:
    """Make the previous production version production again."""
    _echo_aliases(_registry(_prepare_home()).rollback())


@football.command()
@home_option
@click.option("--host", help="Address to listen on. Default: FOOTBALL_HOST, else 127.0.0.1.")
@click.option("--port", type=click.IntRange(1, 65535), help="TCP port. Default: FOOTBALL_PORT, else 3000.")
@click.option(
    "--serve-port",
    type=click.IntRange(1, 65535),
    help="TCP port of the HTTP endpoint. Default: FOOTBALL_SERVE_PORT, else 8000.",
)
def up(host: str | None, port: int | None, serve_port: int | None) -> int:
    """Open the Dagster UI with its daemon, and the HTTP endpoint, until interrupted."""
    settings = _prepare_home(for_runs=True)
    from football_assets.runtime.home import project_root
    from football_assets.runtime.processes import run_together
    from football_assets.runtime.serve_discovery import claimed
    from serve.launch import listen_addresses

    root = project_root()
    host, port = host or settings.host, port or settings.port
    serve_port = serve_port or settings.serve_port
    ui = f"http://{host}:{port}"
    dagster = [sys.executable, "-m", "dagster", "dev", "--host", host, "--port", str(port)]
    programs = {
        "dagster": [*dagster, "--workspace", str(root / "workspace.yaml")],
        "serve": [*SERVE_PROGRAM, "--port", str(serve_port)],
    }
    with claimed(settings, "football up", f"{ui} and http://{settings.serve_host}:{serve_port}") as lock:
        listen_addresses(settings.serve_host, serve_port)
        click.echo(f"Dagster UI on {ui}, home {settings.home}. Ctrl-C ends it.", err=True)
        return run_together(programs, root, keep_open=[lock])


@football.command()
@home_option
@click.option("--host", help="Address to listen on. Default: FOOTBALL_SERVE_HOST, else 127.0.0.1.")
@click.option(
    "--port", type=click.IntRange(1, 65535), help="TCP port. Default: FOOTBALL_SERVE_PORT, else 8000."
)
@click.option(
    "--replicas",
    type=click.IntRange(1, 64),
    help="A fixed number of replicas. Default: as many as the requests need, up to serve/config.yaml's most.",
)
@click.option("--supervised", is_flag=True, hidden=True)  # by `football serve` or `football up`
def serve(host: str | None, port: int | None, replicas: int | None, supervised: bool) -> int:
    """Answer forecasts over HTTP from the production model, until interrupted."""
    settings = _prepare_home(for_runs=True)
    from football_assets.runtime.processes import run_together
    from football_assets.runtime.serve_discovery import claimed
    from serve.launch import listen_addresses, serve_forecasts

    host, port = host or settings.serve_host, port or settings.serve_port
    if supervised:
        say = partial(click.echo, err=True)
        serve_forecasts(settings, host=host, port=port, replicas=replicas, say=say)
        return 0
    program = [*SERVE_PROGRAM, "--host", host, "--port", str(port)]
    if replicas is not None:
        program += ["--replicas", str(replicas)]
    with claimed(settings, "football serve", f"http://{host}:{port}") as lock:
        listen_addresses(host, port)
        return run_together({"serve": program}, Path.cwd(), keep_open=[lock])


def _prepare_home(home: Path | None = None, *, for_runs: bool = False) -> "Settings":
    from football_assets.runtime.home import prepare_home

    return prepare_home(home or click.get_current_context().find_root().obj, for_runs=for_runs)


def _registry(settings: "Settings") -> "Registry":
    from football_assets.registry.store import Registry
    from football_assets.storage.bucket import open_bucket

    return Registry(open_bucket(settings.bucket_url))


def _materialize(
    settings: "Settings",
    selection: str,
    seasons: tuple[str, ...] = (),
    run_config: Mapping[str, object] | None = None,
) -> "RunSummary":
    """Run assets; seasons that have landed become partitions first."""
    if sys.stderr.isatty():
        click.echo("Loading Dagster …", err=True)
    from dagster import DagsterInstance

    from football_assets.cli.terminal import RunProgress
    from football_assets.definitions import build_definitions
    from football_assets.orchestration.in_process_runs import (
        materialize,
        register_seasons,
        steps_output_hidden,
    )
    from football_assets.raw.landing import inventory
    from football_assets.runtime.home import project_root
    from football_assets.storage.bucket import open_bucket

    with DagsterInstance.get() as instance, steps_output_hidden() as stream, RunProgress(stream) as progress:
        register_seasons(instance, inventory(open_bucket(settings.bucket_url)).seasons)
        summary = materialize(
            build_definitions(settings),
            selection,
            instance=instance,
            seasons=seasons or instance.get_dynamic_partitions("seasons"),
            run_config=run_config,
            workspace=project_root() / "workspace.yaml",
            report=progress,
        )
        progress.summary(summary)
    return summary


def _demo_figures(settings: "Settings") -> dict[str, Any]:
    """Print fixtures and scores; returns what `--json` writes."""
    import polars as pl

    from football_assets.cli.terminal import fixtures_table, results_console
    from football_assets.sequences.fixture_days import split_overdue
    from football_assets.storage.artifacts import fetch
    from football_assets.storage.bucket import open_bucket
    from football_assets.storage.tables import read_table

    bucket = open_bucket(settings.bucket_url)
    forecasts = read_table(bucket, "fixture_predictions")
    metrics = json.loads((fetch(bucket, "model_evaluation", settings.scratch) / METRICS).read_bytes())
    production = _registry(settings).aliases().get("production")
    console = results_console()
    coming, overdue = split_overdue(forecasts)
    for fixtures, title in (
        (coming, f"Next of {len(coming):,} fixtures"),
        (overdue, f"Date passed, no result yet: {len(overdue):,} of {len(forecasts):,} fixtures"),
    ):
        if not fixtures.is_empty():
            console.print(fixtures_table(fixtures.head(FIXTURES_SHOWN), title))
    console.print(_metrics_table(metrics))
    names = ("train_matches", "validation_matches", "test_matches", "test")
    return {
        **{name: metrics[name] for name in names},
        "baselines": {
            name: {score: metrics["baselines"][name][score] for score in ("log_loss", "rps")}
            for name in ("class_prior", "elo")
        },
        "fixtures_forecast": forecasts.filter(pl.col("p_home").is_not_null()).height,
        "model_version": production,
    }


@dataclass(frozen=True)
class Walk:
    """What a backtest or a comparison walks through, and how it says how far it is."""

    tensors: "SequenceTensors"
    start: date
    end: date | None
    progress: "WorkProgress"
    notes: list[str]

    def on_epoch(self, epoch: "Epoch") -> None:
        """A line an epoch."""
        loss = f"validation log loss {epoch.validation_log_loss:.4f}"
        self.progress.say(f"Epoch {epoch.epoch}: {loss}, {epoch.seconds:.1f} s")


@contextmanager
def _walk(
    folders: tuple[Path, ...],
    tensors_folder: Path | None,
    start: datetime,
    end: datetime | None,
    odds_file: Path | None,
) -> Iterator[Walk]:
    """The tensors of the results, made in a scratch home, or those of a folder, with the odds of the file."""
    if end is not None and end < start:
        raise click.BadParameter("the end lies before the start", param_hint="--end")
    if bool(folders) == bool(tensors_folder):
        raise click.UsageError(
            "Give either --raw, a folder of result files, or --tensors.", click.get_current_context()
        )
    from tempfile import TemporaryDirectory

    from football_assets.cli.terminal import WorkProgress
    from football_assets.comparison.odds import join_odds, read_odds
    from football_assets.sequences.tensors import open_tensors

    odds = read_odds(odds_file) if odds_file else None
    if tensors_folder and not (tensors_folder / "outcome.npy").is_file():
        raise FootballError(f"{tensors_folder} holds no sequence_tensors: name the folder with outcome.npy.")
    with TemporaryDirectory(prefix="football-backtest-") as scratch:
        tensors = open_tensors(tensors_folder or _make_tensors(Path(scratch), folders))
        notes = []
        if odds is not None:
            joined = join_odds(tensors, odds)
            tensors, notes = joined.tensors, [joined.describe()]
        with WorkProgress() as progress:
            yield Walk(tensors, start.date(), end.date() if end else None, progress, notes)


def _make_tensors(home: Path, folders: tuple[Path, ...]) -> Path:
    os.environ.pop("FOOTBALL_BUCKET", None)  # the scratch home has a bucket of its own
    settings = _prepare_home(home, for_runs=True)
    from football_assets.orchestration.in_process_runs import RunFailed
    from football_assets.raw.landing import land
    from football_assets.storage.artifacts import fetch
    from football_assets.storage.bucket import open_bucket

    bucket = open_bucket(settings.bucket_url)
    landed = land(bucket, folders)
    click.echo(f"Landed {len(landed.objects)} files of {len(landed.seasons)} seasons.", err=True)
    try:
        _materialize(settings, "+sequence_tensors")
    except RunFailed as error:
        raise FootballError(error.cause) from error  # where to look is gone with the scratch home
    return fetch(bucket, "sequence_tensors", settings.scratch)


def _frozen_backtest(walk: Walk, out: Path, _: Path | None) -> dict[str, Any]:
    from football_assets.cli.terminal import results_console
    from football_assets.training.backtest import backtest_scores, run_backtest

    result = run_backtest(walk.tensors, walk.start, walk.end, on_epoch=walk.on_epoch)
    _write_parquet(out, result.forecasts.select(BACKTEST_COLUMNS))
    scores = backtest_scores(result.forecasts)
    figures = {
        "train_matches": len(result.split.train),
        "validation_matches": len(result.split.validation),
        "test_matches": len(result.forecasts),
        "test": scores.pop("model"),
        "baselines": scores,
    }
    results_console().print(_metrics_table(figures))
    return figures


def _rolling_backtest(walk: Walk, out: Path, plot: Path | None) -> dict[str, Any]:
    from polars import selectors as cs

    from football_assets.cli.terminal import bets_table, results_console, seasons_table
    from football_assets.comparison.betting import EDGE
    from football_assets.comparison.plots import rolling_plot
    from football_assets.comparison.rolling import run_rolling_backtest
    from football_assets.orchestration.figures import to_png

    def announce(day: date, number: int, count: int) -> None:
        walk.progress.say(f"Training {number} of {count}, on what was known before {day}")

    result = run_rolling_backtest(walk.tensors, walk.start, walk.end, None, announce, walk.on_epoch)
    _write_parquet(
        out, result.forecasts.select(*BACKTEST_COLUMNS, "trained_before", cs.starts_with("frozen_"))
    )
    if plot is not None:
        _write_file(plot, to_png(rolling_plot(result)))
    console = results_console()
    console.print(seasons_table(result.seasons))
    if result.bets:
        console.print(bets_table(result.bets, EDGE))
    else:
        console.print("No odds are known of these matches: name a file with --odds to see paper bets.")
    for note in walk.notes:
        console.print(note, soft_wrap=True, markup=False)
    return result.as_dict() | {"notes": walk.notes}


def _metrics_table(metrics: Mapping[str, Any]) -> "Table":
    from football_assets.cli.terminal import scores_table

    names = {"elo": "Elo, logistic", "class_prior": "class prior"}
    baselines = {label: metrics["baselines"][name] for name, label in names.items()}
    title = (
        f"Test period: {metrics['test_matches']:,} matches after {metrics['train_matches']:,} to learn from"
    )
    return scores_table({"LSTM": metrics["test"], **baselines}, title)


def _read_config(file: Path) -> dict[str, object]:
    import yaml

    try:
        config = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise FootballError(f"{file} is no YAML: {error}") from error
    if not isinstance(config, dict):
        raise FootballError(f"{file} is no run configuration: copy one from the launchpad of `football up`.")
    return config


def _echo_aliases(aliases: Mapping[str, int]) -> None:
    click.echo(", ".join(f"{alias}: version {version}" for alias, version in aliases.items()))


def _check_writable(file: Path | None) -> None:
    """Refuse before the work rather than after it."""
    if file is None:
        return
    folder = file.absolute().parent
    if not file.exists() and not os.access(folder, os.W_OK):
        raise FootballError(f"{file} cannot be written: {folder} is no folder that you may write to.")
    if file.exists() and not os.access(file, os.W_OK):
        raise FootballError(f"{file} cannot be written: you may not write to that file.")


def _write_json(file: Path | None, figures: Mapping[str, Any]) -> None:
    if file is not None:
        _write_file(file, (json.dumps(figures, indent=2) + "\n").encode())


def _write_parquet(file: Path, frame: "pl.DataFrame") -> None:
    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    _write_file(file, buffer.getvalue())


def _write_file(file: Path, data: bytes) -> None:
    """Replace a file as a whole: on a full disk the old one stays. What is no regular file is written to."""
    target = file.resolve()
    is_replaced = (target.is_file() or not target.exists()) and os.access(target.parent, os.W_OK)
    written = target.parent / f".{target.name[:100]}-{secrets.token_hex(8)}" if is_replaced else target
    try:
        written.write_bytes(data)
        if is_replaced:
            written.replace(target)
    except OSError as error:
        if is_replaced:
            written.unlink(missing_ok=True)
        raise FootballError(f"{file} could not be written: {reason_of(error)}.{advice_for(error)}") from error
