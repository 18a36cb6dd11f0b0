"""Tables of scores as text, for the metadata of assets, the command line and the model card."""

from collections.abc import Iterable, Mapping
from typing import Any

import polars as pl

from football_assets.sequences.tier_names import inputs_text
from football_assets.storage.tables import as_markdown

TIER_COLUMNS = ("inputs", "matches", "log loss", "RPS", "ECE", "log loss in thousandths [95 %]")


def scores_table(scores: dict[str, dict[str, float]]) -> str:
    """Scores by forecaster as a Markdown table."""
    rows = [
        {
            "forecaster": forecaster,
            "log loss": f"{row['log_loss']:.4f}",
            "RPS": f"{row['rps']:.4f}",
            "Brier": f"{row['brier']:.4f}",
            "accuracy": f"{row['accuracy']:.4f}",
            "ECE": f"{row['ece']:.4f}",
        }
        for forecaster, row in scores.items()
    ]
    return as_markdown(pl.DataFrame(rows))


def league_table(rows: list[dict]) -> str:
    """Scores by league as a Markdown table."""
    table = [
        {
            "league": row["league_id"],
            "matches": row["matches"],
            "log loss": f"{row['log_loss']:.4f}",
            "Elo log loss": f"{row['elo_log_loss']:.4f}",
            "RPS": f"{row['rps']:.4f}",
            "accuracy": f"{row['accuracy']:.3f}",
        }
        for row in rows
    ]
    return as_markdown(pl.DataFrame(table))


def tier_table(tiers: list[dict]) -> str:
    """Scores by tier of input as a Markdown table."""
    return as_markdown(pl.DataFrame(describe_tiers(tiers), schema=TIER_COLUMNS, orient="row"))


def describe_tiers(tiers: Iterable[Mapping[str, Any]]) -> list[tuple[str, ...]]:
    """Return one row of text per tier of input, under the headings `TIER_COLUMNS`.

    Parameters
    ----------
    tiers
        As `tier_scores` returns them.
    """
    from football_assets.domain.block_bootstrap import Difference, interval_text

    return [
        (
            inputs_text(row["tier"]),
            f"{row['matches']:,}",
            *(f"{row[name]:.4f}" for name in ("log_loss", "rps", "ece")),
            f"{interval_text(Difference(**row['difference']['log_loss']))} to {inputs_text(row['reference'])}"
            if "difference" in row
            else "",
        )
        for row in tiers
    ]


def confusion_table(matrix: list[list[int]]) -> str:
    """Tabulate matches by outcome and most probable outcome in Markdown."""
    from football_assets.domain.scoring_rules import OUTCOMES

    counts = pl.DataFrame(matrix, schema=[f"{name} forecast" for name in OUTCOMES], orient="row")
    happened = pl.Series("happened", ["home win", "draw", "away win"])
    return as_markdown(counts.insert_column(0, happened))
