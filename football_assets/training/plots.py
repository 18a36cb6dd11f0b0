"""Figures of training and evaluation, drawn without a display."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from football_assets.domain.scoring_rules import OUTCOMES, log_loss, reliability
from football_assets.orchestration.figures import new_figure
from football_assets.training.fit import Epoch

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_COLOURS = {"home": "#1b6ca8", "draw": "#8a8a8a", "away": "#c8553d"}
_LABELS = {"home": "home win", "draw": "draw", "away": "away win"}


def loss_curves(epochs: list[Epoch], best_epoch: int, baseline: float | None = None) -> "Figure":
    """Plot the log loss of training and validation by epoch; `baseline` is a level (Elo on validation)."""
    from matplotlib.ticker import MaxNLocator

    figure = new_figure(7, 4)
    axes = figure.subplots()
    numbers = [epoch.epoch for epoch in epochs]
    axes.plot(
        numbers, [e.train_log_loss for e in epochs], color="#8a8a8a", marker="o", ms=3, label="training"
    )
    axes.plot(
        numbers,
        [e.validation_log_loss for e in epochs],
        color="#1b6ca8",
        marker="o",
        ms=3,
        label="validation",
    )
    if baseline is not None:
        axes.axhline(baseline, color="#c8553d", ls="--", lw=1, label="Elo on validation")
    axes.axvline(best_epoch, color="#1b6ca8", ls=":", lw=1, label=f"kept: epoch {best_epoch}")
    axes.set_xlabel("epoch")
    axes.set_ylabel("log loss (nats per match)")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(frameon=False)
    return figure


def trial_curves(curves: Mapping[str, list[float]], default: str, best: str | None = None) -> "Figure":
    """Plot the validation log loss of a sweep's trials by epoch; `default` and `best` are labelled, others grey."""
    from matplotlib.ticker import MaxNLocator

    figure = new_figure(7, 4)
    axes = figure.subplots()
    named = {default: "#c8553d", best: "#1b6ca8"} if best not in (None, default) else {default: "#c8553d"}
    for name, losses in curves.items():
        if losses:
            style: dict[str, Any] = {"color": "#c4c4c4", "lw": 0.8}
            if name in named:
                style = {"color": named[name], "lw": 2, "label": name, "zorder": 3}
            axes.plot(range(1, len(losses) + 1), losses, marker="o", ms=3, **style)
    axes.set_xlabel("epoch")
    axes.set_ylabel("validation log loss (nats per match)")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    if axes.get_legend_handles_labels()[0]:
        axes.legend(frameon=False)
    return figure


def reliability_diagram(
    forecasts: dict[str, NDArray[np.float64]], outcomes: NDArray[np.integer], title: str
) -> "Figure":
    """Plot forecast against frequency by outcome, one panel per forecaster; a dot's area is its share of forecasts."""
    figure = new_figure(4.6 * len(forecasts), 4.6)
    panels = figure.subplots(1, len(forecasts), sharey=True, squeeze=False)[0]
    for axes, (name, probabilities) in zip(panels, forecasts.items(), strict=True):
        axes.plot([0, 1], [0, 1], color="#cccccc", lw=1)
        rows = reliability(probabilities, outcomes)
        for outcome in OUTCOMES:
            part = [row for row in rows if row.outcome == outcome]
            axes.plot(
                [row.forecast for row in part], [row.frequency for row in part], color=_COLOURS[outcome], lw=1
            )
            axes.scatter(
                [row.forecast for row in part],
                [row.frequency for row in part],
                s=[12 + 500 * row.matches / len(outcomes) for row in part],
                color=_COLOURS[outcome],
                alpha=0.75,
                label=_LABELS[outcome],
            )
        axes.set_title(f"{name}: log loss {log_loss(probabilities, outcomes):.4f}", fontsize=10)
        axes.set_xlabel("forecast probability")
        axes.set_xlim(0, 1)
        axes.set_ylim(0, 1)
    panels[0].set_ylabel("observed frequency")
    legend = panels[0].legend(frameon=False, loc="upper left")
    for handle in legend.legend_handles:
        handle.set_sizes([30])
    figure.suptitle(title, fontsize=11)
    return figure
