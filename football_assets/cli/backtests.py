"""`football backtest` and `compare`: walk-forward evaluation on past results."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from football_assets.cli.options import FILE, home_option, json_option, period_options, plot_option
from football_assets.cli.output_files import check_writable, write_json, write_output, write_parquet
from football_assets.cli.scratch_home import materialize_in_scratch
from football_assets.errors import FootballError

if TYPE_CHECKING:
    from football_assets.cli.progress import WorkProgress
    from football_assets.comparison.comparison import ForecasterComparison
    from football_assets.sequences.spec import FeatureGroup
    from football_assets.sequences.tensors import SequenceTensors
    from football_assets.training.fit import Epoch

TREES_INPUTS_SHOWN = 15


class _RivalKey(click.ParamType):
    """The key of a rival model. The list of rivals is imported only when it is needed."""

    name = "rival"

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        from football_assets.comparison.rivals import rival_keys

        return f"[{'|'.join(rival_keys())}]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        from football_assets.comparison.rivals import rival_keys

        if value not in rival_keys():
            self.fail(f"{value!r} is none of {', '.join(rival_keys())}.", param, ctx)
        return str(value)


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
    help="season: retrain every 1 July, and compare with the network that is trained once.",
)
@click.option(
    "--hide",
    "hidden",
    type=click.Choice(["odds", "shots"]),
    multiple=True,
    help="Forecast as if these inputs were unknown, including those of past matches; repeatable. Training uses them.",
)
@click.option(
    "--match-odds/--no-match-odds",
    default=False,
    help="Combine each forecast with the pre-match odds of the match itself. Default: without them.",
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
    hidden: "tuple[FeatureGroup, ...]",
    match_odds: bool,
    plot: Path | None,
    json_file: Path | None,
) -> None:
    """Train on all matches before a day, then forecast each later match from results of earlier days.

    Works in a temporary home that is removed afterwards. With --retrain season, also prints the simulated profit of
    flat stakes on value bets; --odds and --plot require it.
    """
    if retrain == "never" and (odds or plot):
        raise click.BadParameter("--odds and --plot require --retrain season", param_hint="--retrain")
    if retrain == "season" and (hidden or match_odds):
        raise click.BadParameter("--hide and --match-odds require --retrain never", param_hint="--retrain")
    for file in (out, plot, json_file):
        check_writable(file)
    started = time.monotonic()
    unseen: tuple[FeatureGroup, ...] = hidden if match_odds else (*hidden, "match_odds")
    with _evaluation_input(folders, tensors_folder, start, end, odds) as given:
        figures = (
            _rolling_backtest(given, out, plot)
            if retrain == "season"
            else _frozen_backtest(given, out, unseen)
        )
    write_json(json_file, figures | {"seconds": round(time.monotonic() - started, 1)})


@click.command("compare")
@home_option
@period_options
@click.option("--out", type=FILE, help="Parquet file to write: one row per match, all probabilities.")
@click.option(
    "--fivethirtyeight",
    type=FILE,
    help="FiveThirtyEight's spi_matches.csv: adds a row of its forecasts, scored on the matches that it has.",
)
@click.option(
    "--rivals",
    type=_RivalKey(),
    multiple=True,
    help="Model to compare with; repeatable. Default: all. Class prior and bookmakers are always included.",
)
@plot_option
@json_option
def compare_command(
    folders: tuple[Path, ...],
    tensors_folder: Path | None,
    start: datetime,
    end: datetime | None,
    odds: Path | None,
    out: Path | None,
    fivethirtyeight: Path | None,
    rivals: tuple[str, ...],
    plot: Path | None,
    json_file: Path | None,
) -> None:
    """Score all forecasters on the same matches: overall, by tier, by season, and on matches with odds.

    The forecasters are the LSTM, models fitted on the same results, and the bookmakers' pre-match and closing averages.
    Each is evaluated as in a backtest. The odds of --odds are a separate row with the name of the file. Each score has
    its difference from the LSTM's, in thousandths, with a 95 % interval from a bootstrap of league-weeks.
    """
    for file in (out, plot, json_file):
        check_writable(file)
    from football_assets.comparison.comparison import compare_forecasters
    from football_assets.comparison.fivethirtyeight import join_fivethirtyeight, read_fivethirtyeight
    from football_assets.comparison.plots import comparison_plot
    from football_assets.comparison.rivals import choose_rivals
    from football_assets.orchestration.figures import to_png

    started = time.monotonic()
    published = read_fivethirtyeight(fivethirtyeight) if fivethirtyeight else None
    chosen = choose_rivals(rivals, f"bookmaker, {odds.name}" if odds else None)
    with _evaluation_input(folders, tensors_folder, start, end, odds, keep_odds=False) as given:
        tensors, notes = given.tensors, given.notes
        if published is not None:
            joined = join_fivethirtyeight(tensors, published)
            tensors, notes = joined.tensors, [*notes, joined.describe()]
        result = compare_forecasters(
            tensors,
            given.start,
            given.end,
            rivals=chosen,
            progress=given.progress,
            on_epoch=given.on_epoch,
        )
    seconds = round(time.monotonic() - started, 1)
    if out is not None:
        write_parquet(out, result.forecasts)
    if plot is not None:
        write_output(plot, to_png(comparison_plot(result)))
    write_json(json_file, result.as_dict() | {"notes": [*notes, *result.notes], "seconds": seconds})
    _print_comparison(result, notes)


def _print_comparison(result: "ForecasterComparison", notes: list[str]) -> None:
    """Print the blocks, the largest inputs of the trees, and the notes."""
    from football_assets.cli.tables import block_table, results_console, rows_table

    console = results_console()
    for block in result.blocks:
        console.print(block_table(block))
    largest = list(result.importances.items())[:TREES_INPUTS_SHOWN]
    if largest:
        shares = [(name, f"{share:.1%}") for name, share in largest]
        console.print(rows_table(("input", "share of the gain"), shares, "Inputs of the boosted trees"))
    for note in (*notes, *result.notes):
        console.print(note, soft_wrap=True, markup=False)


@contextmanager
def _evaluation_input(
    folders: tuple[Path, ...],
    tensors_folder: Path | None,
    start: datetime,
    end: datetime | None,
    odds_file: Path | None,
    *,
    keep_odds: bool = True,
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
            joined = join_odds(tensors, odds, keep=keep_odds)
            tensors, notes = joined.tensors, [joined.describe()]
        with WorkProgress() as progress:
            yield EvaluationInput(tensors, start.date(), end.date() if end else None, progress, notes)


def _build_tensors(home: Path, folders: tuple[Path, ...]) -> Path:
    """Materialize `sequence_tensors` of the results in a home of their own; returns its folder."""
    settings = materialize_in_scratch(home, folders, "+sequence_tensors")
    from football_assets.storage.artifacts import fetch
    from football_assets.storage.opening import open_bucket

    return fetch(open_bucket(settings.bucket_url), "sequence_tensors", settings.scratch)


def _frozen_backtest(given: EvaluationInput, out: Path, hidden: "tuple[FeatureGroup, ...]") -> dict[str, Any]:
    """Train once and write and print the forecasts' scores; returns the figures of `--json`."""
    from football_assets.cli.tables import evaluation_tables, results_console
    from football_assets.training.backtest import BACKTEST_COLUMNS, backtest_scores, run_backtest
    from football_assets.training.tier_scores import tier_scores

    result = run_backtest(given.tensors, given.start, given.end, on_epoch=given.on_epoch, hidden=hidden)
    write_parquet(out, result.forecasts.select(BACKTEST_COLUMNS))
    scores = backtest_scores(result.forecasts)
    figures = {
        "train_matches": len(result.split.train),
        "validation_matches": len(result.split.validation),
        "test_matches": len(result.forecasts),
        "test": scores.pop("model"),
        "baselines": scores,
    }
    tiers = tier_scores(result.fit.network, given.tensors, result.rows)
    if tiers:
        figures["tiers"] = tiers
    results_console().print(*evaluation_tables(figures), sep="\n")
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
