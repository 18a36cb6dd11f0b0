"""What the command line shows: the progress of a run on standard error, and tables of results on standard output."""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TextIO

import polars as pl
from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.progress import Progress as Spinner
from rich.table import Table

from football_assets.orchestration.in_process_runs import (
    AssetFinished,
    CheckFinished,
    Progress,
    RunSummary,
    StepStarted,
)

if TYPE_CHECKING:
    from football_assets.comparison.betting import PaperBets
    from football_assets.comparison.comparison import Block
    from football_assets.comparison.rolling import SeasonScores
    from football_assets.domain.block_bootstrap import Difference
    from football_assets.raw.matching.club_report import ClubReport

REASONS_SHOWN = 3
SCORE_NAMES = {"log_loss": "log loss", "rps": "RPS", "brier": "Brier", "accuracy": "accuracy", "ece": "ECE"}


def results_console() -> Console:
    """Where results go. Without a terminal the lines are wide enough for every table."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=150)


class WorkProgress:
    """Long work of several parts: a bar for each on a terminal, and a line with its time when it is done."""

    def __init__(self) -> None:
        self.console = Console(stderr=True, highlight=False, soft_wrap=True)
        self._bars = Spinner(
            SpinnerColumn(),
            TextColumn("{task.description:<24}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self.console,
            transient=True,
            disable=not self.console.is_terminal,
        )
        self._parts: dict[str, tuple[TaskID, float]] = {}

    def __enter__(self) -> "WorkProgress":
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        for name in list(self._parts):
            self._finish(name)
        self._bars.stop()

    def __call__(self, name: str, done: int, total: int) -> None:
        if name not in self._parts:
            for other in list(self._parts):
                self._finish(other)
            self._parts[name] = self._bars.add_task(escape(name), total=total), time.monotonic()
        self._bars.update(self._parts[name][0], completed=done, total=total)

    def say(self, line: str) -> None:
        """A line of its own."""
        self.console.print(escape(line))

    def _finish(self, name: str) -> None:
        bar, started = self._parts.pop(name)
        self._bars.remove_task(bar)
        self.console.print(f"[green]✓[/] {escape(f'{name:<24}')}{time.monotonic() - started:>7.1f} s")


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
                self.console.print(f"[green]✓[/] {escape(f'{asset:<24}')}{seconds:>7.1f} s{detail}")
            case CheckFinished() if not progress.passed:
                self._failed_check(progress)

    def _failed_check(self, check: CheckFinished) -> None:
        """The check with its description, then its commonest reasons, each with the number of records."""
        colour, word = ("yellow", "warning") if check.is_warning else ("red", "failed")
        text = f"[{colour}]![/] {escape(check.asset)}: check {escape(check.check)} {word}"
        self.console.print(f"{text}: {escape(check.description)}" if check.description else text)
        for reason, records in check.reasons[:REASONS_SHOWN]:
            self.console.print(f"  {records:>7,} × {escape(' '.join(reason.split()))}")

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


def block_table(block: "Block") -> Table:
    """Scores of everybody on some matches; behind each, in thousandths, what it is above the network's."""
    table = Table(
        title=f"{block.name}: {block.matches:,} matches, {block.league_weeks:,} league-weeks",
        title_justify="left",
    )
    table.add_column("forecaster", no_wrap=True)
    measures = {name: SCORE_NAMES[name] for name in ("log_loss", "rps", "accuracy", "ece")}
    for name in measures.values():
        table.add_column(f"{name}  − LSTM [95 %]", justify="right", no_wrap=True)
    for row in block.rows:
        cells = []
        for name in measures:
            difference = row.differences.get(name)
            above = "" if difference is None else f"  {interval_text(difference)}"
            cells.append(f"{getattr(row.scores, name):.4f}{above}")
        table.add_row(row.forecaster, *cells, style="" if row.differences else "bold")
    return table


def seasons_table(seasons: "Sequence[SeasonScores]") -> Table:
    """Log loss by season of the network that stays as it is and of that which is retrained, the difference ×1000."""
    columns = (
        "season",
        "matches",
        "log loss frozen",
        "retrained",
        "− frozen [95 %]",
        "RPS frozen",
        "retrained",
    )
    table = Table(*columns, title="Retrained every season, beside the first network", title_justify="left")
    for column in table.columns[1:]:
        column.justify = "right"
    for season in seasons:
        table.add_row(
            season.season,
            f"{season.matches:,}",
            f"{season.frozen.log_loss:.4f}",
            f"{season.retrained.log_loss:.4f}",
            interval_text(season.difference["log_loss"]),
            f"{season.frozen.rps:.4f}",
            f"{season.retrained.rps:.4f}",
        )
    return table


def bets_table(bets: "Mapping[str, PaperBets]", edge: float) -> Table:
    """What flat stakes would have won, by forecaster."""
    title = f"Paper bets of 1 unit where the expected profit is above {edge:.0%}. An exercise: nobody placed them."
    rows = [
        (
            name,
            f"{placed.bets:,}",
            f"{placed.won:,}",
            f"{placed.mean_odds:.2f}",
            f"{placed.profit:+.1f}",
            f"{placed.roi:+.1%} [{placed.roi_low:+.1%}, {placed.roi_high:+.1%}]",
            f"{placed.worst_drawdown:.1f}",
        )
        for name, placed in bets.items()
    ]
    columns = ("network", "bets", "won", "mean odds", "units", "a unit staked [95 %]", "worst drawdown")
    return rows_table(columns, rows, title)


def interval_text(difference: "Difference") -> str:
    """A difference and its interval in thousandths."""
    value, low, high = (1000 * end for end in (difference.value, difference.low, difference.high))
    return f"{value:+.1f} [{low:.1f}, {high:.1f}]"


def rows_table(columns: Sequence[str], rows: Iterable[Sequence[object]], title: str | None = None) -> Table:
    """A plain table."""
    table = Table(*columns, title=title, title_justify="left")
    for row in rows:
        table.add_row(*(escape(str(cell)) for cell in row))
    return table


def club_tables(report: "ClubReport") -> Iterator[Table]:
    """How the clubs of several sources match; tables without a row are left out."""
    figures = report.summary()
    title = (
        f"{figures['shared']:,} of {figures['clubs']:,} clubs are in all sources of their league and season"
    )
    leagues = report.leagues.with_columns(pl.col("sources").list.join(", "))
    yield rows_table([name.replace("_", " ") for name in leagues.columns], leagues.iter_rows(), title)
    spellings = report.spellings.with_columns(pl.col("sources").list.join(", "))
    mismatches = report.mismatches.with_columns(
        pl.col("known_to").list.join(", "),
        pl.col("counterpart").fill_null("none"),
        pl.col("in_common").cast(pl.String).fill_null(""),
    )
    for frame, heading in (
        (spellings, "Names that mean a club by their spelling alone"),
        (mismatches, "Clubs that a source of their league does not have, and who plays their matches there"),
        (report.contradictions, "Names of one club that play different fixtures on the same days"),
    ):
        if frame.height:
            yield rows_table([name.replace("_", " ") for name in frame.columns], frame.iter_rows(), heading)


def _chance(probability: float, is_likeliest: bool) -> str:
    text = f"{probability * 100:.0f} %"
    return f"[bold]{text}[/]" if is_likeliest else text
