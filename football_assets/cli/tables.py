"""Tables of results, printed on standard output with rich."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import polars as pl
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from football_assets.domain.block_bootstrap import interval_text
from football_assets.domain.columns import PROBABILITY_COLUMNS
from football_assets.sequences.tier_names import inputs_text

if TYPE_CHECKING:
    from football_assets.comparison.betting import PaperBets
    from football_assets.comparison.blocks import Block
    from football_assets.comparison.rolling import SeasonScores
    from football_assets.raw.matching.club_report import ClubReport

SCORE_NAMES = {"log_loss": "log loss", "rps": "RPS", "brier": "Brier", "accuracy": "accuracy", "ece": "ECE"}


def results_console() -> Console:
    """Return a console on standard output. Without a terminal its lines are wide enough for every table."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=180)


def fixtures_table(forecasts: pl.DataFrame, title: str) -> Table:
    """Lay out forecasts of fixtures, one per row; the likeliest outcome is bold.

    Parameters
    ----------
    forecasts
        Rows of `fixture_predictions`.
    """
    table = Table(title=title, title_justify="left")
    table.add_column("date", no_wrap=True)
    table.add_column("league", no_wrap=True)
    table.add_column("home")
    table.add_column("away")
    for name in ("home win", "draw", "away win", "goals"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("likeliest scores", no_wrap=True)
    table.add_column("inputs")
    for row in forecasts.iter_rows(named=True):
        chances = [row[name] for name in PROBABILITY_COLUMNS]
        table.add_row(
            str(row["kickoff_date"]),
            row["league_id"],
            escape(row["home_team"]),
            escape(row["away_team"]),
            *(_chance(chance, chance == max(chances)) for chance in chances),
            f"{row['xg_home']:.1f} – {row['xg_away']:.1f}",
            row["likeliest_scores"],
            inputs_text(row["inputs"]),
        )
    return table


def forecaster_table(scores: Mapping[str, Mapping[str, Any]], title: str) -> Table:
    """Lay out scores, one row per forecaster; the best value of each score is bold."""
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


def evaluation_tables(metrics: Mapping[str, Any]) -> list[Table]:
    """Lay out the network's scores on the test period beside those of the baselines, and those by tier of input.

    Parameters
    ----------
    metrics
        As in `metrics.json` of `model_evaluation`. Without `tiers` there is one table.
    """
    names = {"elo": "Elo, logistic", "class_prior": "class prior"}
    baselines = {label: metrics["baselines"][name] for name, label in names.items()}
    title = f"Test period: {metrics['test_matches']:,} matches after {metrics['train_matches']:,} training matches"
    tables = [forecaster_table({"LSTM": metrics["test"], **baselines}, title)]
    if metrics.get("tiers"):
        from football_assets.training.score_tables import TIER_COLUMNS, describe_tiers

        tables.append(rows_table(TIER_COLUMNS, describe_tiers(metrics["tiers"]), "LSTM by tier of input"))
    return tables


def block_table(block: "Block") -> Table:
    """Lay out the scores of all forecasters on some matches, each with its difference to the LSTM's in thousandths."""
    table = Table(
        title=escape(f"{block.name}: {block.describe()}"),
        title_justify="left",
    )
    table.add_column("forecaster", overflow="fold")  # a long name wraps, so that no figure is cut
    measures = {name: SCORE_NAMES[name] for name in ("log_loss", "rps", "accuracy", "ece")}
    for name in measures.values():
        table.add_column(f"{name}  − LSTM [95 %]", justify="right", no_wrap=True)
    for row in block.rows:
        cells = []
        for name in measures:
            difference = row.differences.get(name)
            above = "" if difference is None else f"  {interval_text(difference)}"
            cells.append(f"{getattr(row.scores, name):.4f}{above}")
        table.add_row(escape(row.forecaster), *cells, style="" if row.differences else "bold")
    return table


def seasons_table(seasons: "Sequence[SeasonScores]") -> Table:
    """Lay out the scores by season of the frozen and the retrained network, and their difference in thousandths."""
    columns = (
        "season",
        "matches",
        "log loss frozen",
        "retrained",
        "− frozen [95 %]",
        "RPS frozen",
        "retrained",
    )
    table = Table(*columns, title="Retrained every season, and the frozen network", title_justify="left")
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
    """Lay out the profit of flat-stake paper bets, one row per network.

    Parameters
    ----------
    edge
        Expected profit per unit above which a bet is placed.
    """
    title = f"Paper bets of 1 unit where the expected profit is above {edge:.0%}, simulated."
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
    columns = ("network", "bets", "won", "mean odds", "units", "per unit staked [95 %]", "worst drawdown")
    return rows_table(columns, rows, title)


def rows_table(columns: Sequence[str], rows: Iterable[Sequence[object]], title: str | None = None) -> Table:
    """Lay out rows as they are; cells are text, not rich markup."""
    table = Table(*columns, title=title, title_justify="left")
    for row in rows:
        table.add_row(*(escape(str(cell)) for cell in row))
    return table


def club_tables(report: "ClubReport") -> Iterator[Table]:
    """Lay out how the clubs of several sources match; tables without a row are left out."""
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
        (spellings, "Names matched to a club by spelling only"),
        (
            mismatches,
            "Clubs missing in a source of their league, and the clubs that play their matches there",
        ),
        (report.contradictions, "Names of one club that play different fixtures on the same days"),
    ):
        if frame.height:
            yield rows_table([name.replace("_", " ") for name in frame.columns], frame.iter_rows(), heading)


def _chance(probability: float, is_likeliest: bool) -> str:
    text = f"{probability * 100:.0f} %"
    return f"[bold]{text}[/]" if is_likeliest else text
