"""Plots of the comparison and of paper bets."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import polars as pl

from football_assets.comparison.betting import PaperBets
from football_assets.comparison.blocks import ALL_MATCHES, OURS, WITH_ODDS, Block
from football_assets.comparison.comparison import ForecasterComparison
from football_assets.comparison.rivals import PRIOR_RIVAL
from football_assets.comparison.rolling import RollingBacktest
from football_assets.domain.block_bootstrap import Difference
from football_assets.domain.scoring_rules import OUTCOMES, reliability
from football_assets.orchestration.figures import new_figure
from football_assets.training.backtest import outcomes_of
from football_assets.training.evaluation import probabilities_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_OURS_COLOUR, _OTHER_COLOUR = "#1b6ca8", "#8a8a8a"
_OUTCOME_COLOURS = dict(zip(OUTCOMES, ("#1b6ca8", "#8a8a8a", "#c8553d"), strict=True))
_LEVELS = (ALL_MATCHES, WITH_ODDS)
_PANELS_IN_ROW = 6


def comparison_plot(comparison: ForecasterComparison) -> "Figure":
    """Plot the log loss minus the network's with 95 per cent intervals, and below each reliability diagram."""
    blocks = [block for block in comparison.blocks if block.name in _LEVELS]
    forecasts = comparison.forecasts
    names = dict.fromkeys(row.forecaster for block in comparison.blocks for row in block.rows)
    drawn = [name for name in names if name != PRIOR_RIVAL.name]
    columns, lines = min(len(drawn), _PANELS_IN_ROW), -(-len(drawn) // _PANELS_IN_ROW)
    figure = new_figure(max(2.9 * columns, 5.2 * len(blocks)), 3.6 + 3.2 * lines)
    above, below = figure.subfigures(2, 1, squeeze=False, height_ratios=[3.6, 3.2 * lines])[:, 0]
    for axes, block in zip(above.subplots(1, len(blocks), squeeze=False)[0], blocks, strict=True):
        _draw_differences(axes, block)
    panels = below.subplots(lines, columns, sharey=True, squeeze=False).ravel()
    for axes in panels[len(drawn) :]:
        axes.remove()
    for axes, name in zip(panels, drawn, strict=False):
        _draw_reliability(axes, name, forecasts, comparison.prefixes[name])
    panels[0].set_ylabel("observed frequency")
    panels[0].legend(frameon=False, loc="upper left", fontsize=8)
    return figure


def rolling_plot(result: RollingBacktest) -> "Figure":
    """Plot the log loss that retraining saves by season and, where there are odds, the equity of paper bets by day."""
    panels = 2 if result.bets else 1
    figure = new_figure(6.5 * panels, 4)
    axes = figure.subplots(1, panels, squeeze=False)[0]
    _draw_gains(axes[0], {season.season: season.difference["log_loss"] for season in result.seasons})
    if result.bets:
        _draw_equity(axes[1], result.bets)
    return figure


def _draw_gains(axes: "Axes", differences: Mapping[str, Difference]) -> None:
    axes.axhline(0, color="#cccccc", lw=1)
    for place, difference in enumerate(differences.values()):
        axes.plot([place, place], [-1000 * difference.low, -1000 * difference.high], color=_OURS_COLOUR, lw=2)
        axes.plot(place, -1000 * difference.value, "o", color=_OURS_COLOUR)
    axes.set_xticks(range(len(differences)), list(differences))
    axes.set_ylabel("log loss saved by retraining, ×1000")
    axes.set_title("Retrained every season against the first network", fontsize=10)


def _draw_equity(axes: "Axes", bets: Mapping[str, PaperBets]) -> None:
    axes.axhline(0, color="#cccccc", lw=1)
    for (name, placed), colour in zip(bets.items(), (_OTHER_COLOUR, _OURS_COLOUR), strict=True):
        label = f"{name}: {placed.bets:,} bets, {placed.profit:+.0f} units"
        axes.plot(placed.curve["date"], placed.curve["equity"], lw=1.4, label=label, color=colour)
    axes.set_ylabel("units won, stakes of 1")
    axes.tick_params("x", rotation=30)
    axes.set_title("Paper bets: an exercise, nobody placed them", fontsize=10)
    axes.legend(frameon=False)


def _draw_differences(axes: "Axes", block: Block) -> None:
    rows = [row for row in block.rows if row.forecaster != PRIOR_RIVAL.name]
    own = next(row.scores.log_loss for row in rows if row.forecaster == OURS)
    axes.axvline(0, color="#cccccc", lw=1)
    for place, row in enumerate(reversed(rows)):
        difference = row.differences.get("log_loss")
        colour = _OURS_COLOUR if difference is None else _OTHER_COLOUR
        if difference is not None:
            axes.plot([1000 * difference.low, 1000 * difference.high], [place, place], color=colour, lw=2)
        axes.plot(0 if difference is None else 1000 * difference.value, place, "o", color=colour)
        axes.annotate(
            f"{row.scores.log_loss:.4f}",
            (1.01, place),
            xycoords=("axes fraction", "data"),
            va="center",
            fontsize=8,
            color=colour,
        )
    axes.set_yticks(range(len(rows)), [row.forecaster for row in reversed(rows)])
    axes.margins(y=0.15)
    prior = next((row.scores.log_loss for row in block.rows if row.forecaster == PRIOR_RIVAL.name), own)
    axes.set_title(f"{block.name}: {block.matches:,}; class prior {prior:.4f}", fontsize=10)
    axes.set_xlabel(f"log loss less the {OURS}'s, ×1000")


def _draw_reliability(axes: "Axes", name: str, forecasts: pl.DataFrame, prefix: str) -> None:
    values = probabilities_of(forecasts, prefix)
    priced = values[:, 0] == values[:, 0]
    rows = reliability(values[priced], outcomes_of(forecasts)[priced])
    axes.plot([0, 1], [0, 1], color="#cccccc", lw=1)
    for outcome, colour in _OUTCOME_COLOURS.items():
        part = [row for row in rows if row.outcome == outcome]
        axes.plot(
            [row.forecast for row in part],
            [row.frequency for row in part],
            "o-",
            ms=3,
            lw=1,
            color=colour,
            label=outcome,
        )
    axes.set_title(name if priced.all() else f"{name} ({priced.sum():,})", fontsize=10)
    axes.set_xlabel("forecast")
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
