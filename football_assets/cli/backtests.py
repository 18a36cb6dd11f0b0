"""`football backtest` and `compare`: walk-forward evaluation on past results."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from football_assets.cli.context import prepare_command_home
from football_assets.cli.graph import run_graph
from football_assets.cli.options import FILE, home_option, json_option, period_options, plot_option
from football_assets.cli.output_files import check_writable, write_json, write_output, write_parquet
from football_assets.errors import FootballError

if TYPE_CHECKING:
    from football_assets.cli.progress import WorkProgress
    from football_assets.sequences.tensors import SequenceTensors
    from football_assets.training.fit import Epoch

TREES_INPUTS_SHOWN = 15


@dataclass(frozen=True)
class EvaluationInput:
    """Tensors and period of a walk-forward evaluation, its progress, and notes to print after the results."""

    tensors: "SequenceTensors"
    start: date
    end: date | None
    progress: "WorkProgress"
    notes: list[str]

    def on_epoch(self, epoch: "Epoch") -> None:
        """Print one line for an epoch."""
        loss = f"validation log loss {epoch.validation_log_loss:.4f}"
        self.progress.say(f"Epoch {epoch.epoch}: {loss}, {epoch.seconds:.1f} s")


@click.command("backtest")
@home_option
@period_options
@click.option("--out", type=FILE, required=True, help="Parquet file to write, one row per forecast match.")
@click.option(
    "--retrain",
    type=click.Choice(["never", "season"]),
    default="never",
    help="season: retrain every 1 July, and report the gain over the network that is trained once.",
)
@plot_option
@json_option
def backtest_command(
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
    """Train on all matches before a day, then forecast each later match from results of earlier days.

    Works in a temporary home that is removed afterwards. With --retrain season, also prints the simulated profit of
    flat stakes on value bets; --odds and --plot require it.
    """
    if retrain == "never" and (odds or plot):
        raise click.BadParameter("--odds and --plot go with --retrain season", param_hint="--retrain")
    for file in (out, plot, json_file):
        check_writable(file)
    started = time.monotonic()
    with _evaluation_input(folders, tensors_folder, start, end, odds) as given:
        figures = _rolling_backtest(given, out, plot) if retrain == "season" else _frozen_backtest(given, out)
    write_json(json_file, figures | {"seconds": round(time.monotonic() - started, 1)})


@click.command("compare")
@home_option
@period_options
@click.option("--out", type=FILE, help="Parquet file to write: one row per match, all probabilities.")
@plot_option
@json_option
def compare_command(
    folders: tuple[Path, ...],
    tensors_folder: Path | None,
    start: datetime,
    end: datetime | None,
    odds: Path | None,
    out: Path | None,
    plot: Path | None,
    json_file: Path | None,
) -> None:
    """Score all forecasters on the same matches: overall, by tier, by season, and on matches with odds.

    Class prior, Elo, Dixon–Coles, boosted trees, the LSTM and the bookmaker, each as in a backtest. Each score has its
    difference from the LSTM's, in thousandths, with a 95 % interval from a bootstrap of league-weeks.
    """
    for file in (out, plot, json_file):
        check_writable(file)
    from football_assets.cli.tables import block_table, results_console, rows_table
    from football_assets.comparison.comparison import compare_forecasters
    from football_assets.comparison.plots import comparison_plot
    from football_assets.orchestration.figures import to_png

    started = time.monotonic()
    with _evaluation_input(folders, tensors_folder, start, end, odds) as given:
        result = compare_forecasters(
            given.tensors, given.start, given.end, progress=given.progress, on_epoch=given.on_epoch
        )
    figures = result.as_dict() | {"seconds": round(time.monotonic() - started, 1)}
    if out is not None:
        write_parquet(out, result.forecasts)
    if plot is not None:
        write_output(plot, to_png(comparison_plot(result)))
    write_json(json_file, figures)
    console = results_console()
    for block in result.blocks:
        console.print(block_table(block))
    largest = list(result.importances.items())[:TREES_INPUTS_SHOWN]
    if largest:
        shares = [(name, f"{share:.1%}") for name, share in largest]
        console.print(rows_table(("input", "share of the gain"), shares, "Inputs of the boosted trees"))
    for note in (*given.notes, *result.notes):
        console.print(note, soft_wrap=True, markup=False)


@contextmanager
def _evaluation_input(
    folders: tuple[Path, ...],
    tensors_folder: Path | None,
    start: datetime,
    end: datetime | None,
    odds_file: Path | None,
) -> Iterator[EvaluationInput]:
    """Open the tensors of a folder, or build those of the results in a scratch home, and join the odds to them."""
    if end is not None and end < start:
        raise click.BadParameter("the end lies before the start", param_hint="--end")
    if bool(folders) == bool(tensors_folder):
        raise click.UsageError(
            "Give either --raw, a folder of result files, or --tensors.", click.get_current_context()
        )
    from tempfile import TemporaryDirectory

    from football_assets.cli.progress import WorkProgress
    from football_assets.comparison.odds import join_odds, read_odds
    from football_assets.sequences.tensors import open_tensors

    odds = read_odds(odds_file) if odds_file else None
    if tensors_folder and not (tensors_folder / "outcome.npy").is_file():
        raise FootballError(
            f"{tensors_folder} has no sequence_tensors: give the folder that has outcome.npy."
        )
    with TemporaryDirectory(prefix="football-backtest-") as scratch:
        tensors = open_tensors(tensors_folder or _build_tensors(Path(scratch), folders))
        notes = []
        if odds is not None:
            joined = join_odds(tensors, odds)
            tensors, notes = joined.tensors, [joined.describe()]
        with WorkProgress() as progress:
            yield EvaluationInput(tensors, start.date(), end.date() if end else None, progress, notes)


def _build_tensors(home: Path, folders: tuple[Path, ...]) -> Path:
    """Land the results in a home of their own and materialize `sequence_tensors` there; returns its folder."""
    os.environ.pop("FOOTBALL_BUCKET", None)  # the scratch home has a bucket of its own
    settings = prepare_command_home(home, for_runs=True)
    from football_assets.orchestration.in_process_runs import RunFailed
    from football_assets.raw.landing import land
    from football_assets.storage.artifacts import fetch
    from football_assets.storage.opening import open_bucket

    bucket = open_bucket(settings.bucket_url)
    landed = land(bucket, folders)
    click.echo(f"Landed {len(landed.objects)} files of {len(landed.seasons)} seasons.", err=True)
    try:
        run_graph(settings, "+sequence_tensors")
    except RunFailed as error:
        raise FootballError(error.cause) from error  # its log is removed with the scratch home
    return fetch(bucket, "sequence_tensors", settings.scratch)


def _frozen_backtest(given: EvaluationInput, out: Path) -> dict[str, Any]:
    """Train once and write and print the forecasts' scores; returns the figures of `--json`."""
    from football_assets.cli.tables import evaluation_table, results_console
    from football_assets.training.backtest import BACKTEST_COLUMNS, backtest_scores, run_backtest

    result = run_backtest(given.tensors, given.start, given.end, on_epoch=given.on_epoch)
    write_parquet(out, result.forecasts.select(BACKTEST_COLUMNS))
    scores = backtest_scores(result.forecasts)
    figures = {
        "train_matches": len(result.split.train),
        "validation_matches": len(result.split.validation),
        "test_matches": len(result.forecasts),
        "test": scores.pop("model"),
        "baselines": scores,
    }
    results_console().print(evaluation_table(figures))
    return figures


def _rolling_backtest(given: EvaluationInput, out: Path, plot: Path | None) -> dict[str, Any]:
    """Retrain every season, and write and print the comparison with training once; returns the figures of `--json`."""
    from polars import selectors as cs

    from football_assets.cli.tables import bets_table, results_console, seasons_table
    from football_assets.comparison.betting import EDGE
    from football_assets.comparison.plots import rolling_plot
    from football_assets.comparison.rolling import run_rolling_backtest
    from football_assets.orchestration.figures import to_png
    from football_assets.training.backtest import BACKTEST_COLUMNS

    def announce(day: date, number: int, count: int) -> None:
        given.progress.say(f"Training {number} of {count}, on results before {day}")

    result = run_rolling_backtest(given.tensors, given.start, given.end, None, announce, given.on_epoch)
    write_parquet(
        out, result.forecasts.select(*BACKTEST_COLUMNS, "trained_before", cs.starts_with("frozen_"))
    )
    if plot is not None:
        write_output(plot, to_png(rolling_plot(result)))
    console = results_console()
    console.print(seasons_table(result.seasons))
    if result.bets:
        console.print(bets_table(result.bets, EDGE))
    else:
        console.print("These matches have no odds: give a file with --odds to see paper bets.")
    for note in given.notes:
        console.print(note, soft_wrap=True, markup=False)
    return result.as_dict() | {"notes": given.notes}
