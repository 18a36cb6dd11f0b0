"""Figures of the drift report, drawn without a display."""

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from football_assets.domain.scoring_rules import OUTCOMES, log_loss_each, reliability
from football_assets.monitoring.inputs import Column
from football_assets.monitoring.results import probabilities
from football_assets.orchestration.figures import new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_COLOURS = {"home": "#1b6ca8", "draw": "#8a8a8a", "away": "#c8553d"}
_SHOWN = 20


def distances(columns: list[Column]) -> "Figure":
    """How far the columns are from the reference, the furthest first; a mark says where drift begins."""
    shown = columns[:_SHOWN][::-1]
    figure = new_figure(7, 0.8 + 0.26 * len(shown))
    axes = figure.subplots()
    rows = np.arange(len(shown))
    colours = ["#c8553d" if column.drifted else "#1b6ca8" for column in shown]
    axes.barh(rows, [column.distance for column in shown], color=colours, height=0.7)
    axes.scatter(
        [column.threshold for column in shown], rows, marker="|", color="black", s=90, label="drift from here"
    )
    axes.set_yticks(rows, [column.name for column in shown], fontsize=8)
    axes.set_xlabel("Wasserstein distance (standard deviations of the reference)")
    axes.legend(frameon=False, loc="lower right")
    return figure


def live_results(results: pl.DataFrame) -> "Figure":
    """How forecasts came true: frequency against forecast by outcome, and the log loss by week of kick-off."""
    p, outcomes = probabilities(results), results["outcome"].cast(pl.Int64).to_numpy()
    figure = new_figure(10, 4.4)
    calibration, losses = figure.subplots(1, 2)
    calibration.plot([0, 1], [0, 1], color="#cccccc", lw=1)
    rows = reliability(p, outcomes, bins=5)
    for outcome in OUTCOMES:
        part = [row for row in rows if row.outcome == outcome]
        calibration.scatter(
            [row.forecast for row in part],
            [row.frequency for row in part],
            s=[12 + 400 * row.matches / len(outcomes) for row in part],
            color=_COLOURS[outcome],
            alpha=0.75,
            label=outcome,
        )
    calibration.set(xlabel="forecast probability", ylabel="observed frequency", xlim=(0, 1), ylim=(0, 1))
    calibration.legend(frameon=False, loc="upper left")
    weeks = (
        results.select(week=pl.col("kickoff_date").dt.truncate("1w"))
        .with_columns(loss=pl.Series(log_loss_each(p, outcomes)))
        .group_by("week")
        .agg(pl.mean("loss"))
        .sort("week")
    )
    losses.plot(weeks["week"].to_list(), weeks["loss"].to_list(), color="#1b6ca8", marker="o", ms=4)
    losses.axhline(
        float(log_loss_each(p, outcomes).mean()), color="#c8553d", ls="--", lw=1, label="all results"
    )
    losses.set(xlabel="week of kick-off", ylabel="log loss (nats per match)")
    losses.tick_params(axis="x", rotation=30, labelsize=8)
    losses.legend(frameon=False)
    return figure
