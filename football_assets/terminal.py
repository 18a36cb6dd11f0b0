"""What the command line shows: the progress of a run on standard error, and tables of results on standard output."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TextIO

import polars as pl
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress as Spinner
from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from football_assets.runs import AssetFinished, CheckFinished, Progress, RunSummary, StepStarted

SCORE_NAMES = {"log_loss": "log loss", "rps": "RPS", "brier": "Brier", "accuracy": "accuracy", "ece": "ECE"}


def results_console() -> Console:
    """Where results go. Without a terminal the lines are wide enough for every table."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=140)


class RunProgress:
    """A line for every finished asset, and on a terminal the step that is running."""

    def __init__(self, stream: TextIO) -> None:
        self.console = Console(file=stream, highlight=False, soft_wrap=True)
        self._spinner = Spinner(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            TimeElapsedColumn(),
            console=self.console,
            transient=True,
            disable=not self.console.is_terminal,
        )
        self._step = self._spinner.add_task("starting")

    def __enter__(self) -> "RunProgress":
        self._spinner.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._spinner.stop()

    def __call__(self, progress: Progress) -> None:
        match progress:
            case StepStarted(step):
                self._spinner.reset(self._step, description=step)
            case AssetFinished(asset, partitions, seconds):
                detail = f"  [dim]{partitions} season{'s' * (partitions != 1)}[/]" if partitions else ""
                self.console.print(f"[green]✓[/] {escape(asset):<24}{seconds:>7.1f} s{detail}")
            case CheckFinished(asset, check, passed, is_warning) if not passed:
                colour, word = ("yellow", "warning") if is_warning else ("red", "failed")
                self.console.print(f"[{colour}]![/] {escape(asset)}: check {escape(check)} {word}")

    def summary(self, run: RunSummary) -> None:
        """The line that closes a run."""
        failed = sum(not check.passed for check in run.checks)
        checks = f"{len(run.checks) - failed} of {len(run.checks)} checks passed"
        self.console.print(
            f"{len(run.assets)} assets in {run.seconds:.1f} s, {checks}. Run {run.run_id} in `football up`."
        )


def fixtures_table(forecasts: pl.DataFrame, title: str) -> Table:
    """Forecasts of fixtures, one a row."""
    table = Table(title=title, title_justify="left")
    table.add_column("date", no_wrap=True)
    table.add_column("league", no_wrap=True)
    table.add_column("home")
    table.add_column("away")
    for name in ("home win", "draw", "away win", "goals"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("likeliest scores", no_wrap=True)
    for row in forecasts.iter_rows(named=True):
        chances = [row["p_home"], row["p_draw"], row["p_away"]]
        table.add_row(
            str(row["kickoff_date"]),
            row["league_id"],
            escape(row["home_team"]),
            escape(row["away_team"]),
            *(_chance(chance, chance == max(chances)) for chance in chances),
            f"{row['xg_home']:.1f} – {row['xg_away']:.1f}",
            row["likeliest_scores"],
        )
    return table


def scores_table(scores: Mapping[str, Mapping[str, Any]], title: str) -> Table:
    """One row a forecaster; the best value of each score is bold."""
    table = Table(title=title, title_justify="left")
    table.add_column("forecaster")
    for name in SCORE_NAMES.values():
        table.add_column(name, justify="right")
    for forecaster, values in scores.items():
        cells = []
        for name in SCORE_NAMES:
            others = [other[name] for other in scores.values()]
            best = max(others) if name == "accuracy" else min(others)
            text = f"{values[name]:.4f}"
            cells.append(f"[bold]{text}[/]" if values[name] == best else text)
        table.add_row(forecaster, *cells)
    return table


def rows_table(columns: Sequence[str], rows: Iterable[Sequence[object]], title: str | None = None) -> Table:
    """A plain table."""
    table = Table(*columns, title=title, title_justify="left")
    for row in rows:
        table.add_row(*(escape(str(cell)) for cell in row))
    return table


def _chance(probability: float, is_likeliest: bool) -> str:
    text = f"{probability * 100:.0f} %"
    return f"[bold]{text}[/]" if is_likeliest else text
