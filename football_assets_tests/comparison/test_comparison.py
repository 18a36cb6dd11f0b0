"""The comparison: all forecasters on the same matches, without later results; missing forecasters are reported."""

from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl
import pytest

from football_assets.comparison import comparison as module
from football_assets.comparison.blocks import OURS, Block
from football_assets.comparison.comparison import ForecasterComparison, compare_forecasters
from football_assets.comparison.plots import comparison_plot
from football_assets.comparison.rivals import RIVALS
from football_assets.domain.measures import CLOSING_ODDS, PRE_MATCH_ODDS
from football_assets.sequences.tensors import SequenceTensors
from football_assets.training.config import NetworkConfig, TrainingConfig
from football_assets.training.evaluation import probabilities_of

START = date(2014, 8, 14)
CONFIG = TrainingConfig(network=NetworkConfig(hidden=8, trunk=8), epochs=2)
MODELS = [rival.name for rival in RIVALS if rival.kind == "model"]
FIRST = "bookmaker, first odds on file"


@pytest.fixture(scope="module")
def tensors(tensors: SequenceTensors) -> SequenceTensors:
    """Matches whose averages of odds are unknown, as of files that hold one bookmaker's odds."""
    unknown = (pl.lit(None, pl.Float64).alias(name) for name in (*PRE_MATCH_ODDS, *CLOSING_ODDS))
    return replace(tensors, keys=tensors.keys.with_columns(unknown))


@pytest.fixture(scope="module")
def comparison(tensors: SequenceTensors) -> ForecasterComparison:
    pytest.importorskip("penaltyblog", reason="penaltyblog is in the extra compare")
    pytest.importorskip("lightgbm", reason="lightgbm is in the extra compare")
    pytest.importorskip("catboost", reason="CatBoost is in the extra compare")
    return compare_forecasters(tensors, START, config=CONFIG)


def by_name(blocks: list[Block]) -> dict[str, Block]:
    return {block.name: block for block in blocks}


def test_every_forecaster_is_there_with_probabilities_of_every_match(
    tensors: SequenceTensors, comparison: ForecasterComparison
) -> None:
    played = tensors.keys.filter(pl.col("is_played") & (pl.col("kickoff_date") >= START))
    forecasts = comparison.forecasts

    assert forecasts["home_team"].to_list() == played["home_team"].to_list()
    assert list(comparison.prefixes) == [OURS, *(rival.name for rival in RIVALS)]
    for name, prefix in comparison.prefixes.items():
        chances = probabilities_of(forecasts, prefix)
        known = ~np.isnan(chances[:, 0])
        assert known.all() == (name in (*MODELS, OURS))
        np.testing.assert_allclose(chances[known].sum(axis=1), 1, atol=1e-6)
    assert [row.forecaster for row in by_name(comparison.blocks)["with odds"].rows] == [*MODELS, OURS, FIRST]
    assert sum(comparison.importances.values()) == pytest.approx(1, abs=1e-2)


def test_those_who_know_the_strengths_beat_the_class_prior(comparison: ForecasterComparison) -> None:
    priced, every = (
        {row.forecaster: row.scores.log_loss for row in by_name(comparison.blocks)[name].rows}
        for name in ("with odds", "all matches")
    )

    assert priced[FIRST] < priced["class prior"]
    assert every["Dixon–Coles"] < every["class prior"]


def test_the_figure_shows_every_forecaster_but_the_class_prior(comparison: ForecasterComparison) -> None:
    panels = comparison_plot(comparison).axes[2:]

    names = [axes.get_title().split(" (")[0] for axes in panels]
    assert names == [*(name for name in MODELS if name != "class prior"), OURS, FIRST]


def test_a_rival_that_is_not_installed_is_left_out_and_said(
    tensors: SequenceTensors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "is_installed", lambda package: False)

    found = compare_forecasters(tensors, START, date(2014, 9, 1), CONFIG)

    assert [row.forecaster for row in found.blocks[0].rows] == ["class prior", "Elo, logistic", "LSTM"]
    needed = [rival.package for rival in RIVALS if rival.package is not None]
    assert [note.split()[0] for note in found.notes] == needed
    assert all('pip install -c constraints.txt -e ".[dev]"' in note for note in found.notes)
    assert "The row of Dixon–Coles is missing." in found.notes[0]
    assert [axes.get_title() for axes in comparison_plot(found).axes[2:]] == [
        "Elo, logistic",
        "LSTM",
        f"{FIRST} (12)",
    ]
