"""The comparison: the same matches for everybody, blind to what comes later, and open about who is missing."""

from datetime import date

import numpy as np
import polars as pl
import pytest

from football_assets.comparison import comparison as module
from football_assets.comparison.comparison import (
    FORECASTERS,
    Block,
    ForecasterComparison,
    blocks_of,
    compare_forecasters,
)
from football_assets.comparison.plots import comparison_plot
from football_assets.domain.scoring_rules import score
from football_assets.sequences.tensors import SequenceTensors
from football_assets.training.backtest import outcomes_of
from football_assets.training.config import NetworkConfig, TrainingConfig
from football_assets.training.evaluation import probabilities_of

START = date(2014, 8, 14)
CONFIG = TrainingConfig(network=NetworkConfig(hidden=8, trunk=8), epochs=2)
GENERATOR = np.random.default_rng(5)


@pytest.fixture(scope="module")
def comparison(tensors: SequenceTensors) -> ForecasterComparison:
    pytest.importorskip("penaltyblog", reason="penaltyblog is a development dependency")
    pytest.importorskip("lightgbm", reason="lightgbm is a development dependency")
    return compare_forecasters(tensors, START, config=CONFIG)


@pytest.fixture
def forecasts() -> pl.DataFrame:
    """Made up: 300 matches of two tiers and a cup, odds on the second hundred."""
    n = 300
    table = pl.DataFrame(
        {
            "date": pl.Series([date(2021, 8, 1 + i % 28) for i in range(n)]),
            "league_id": [("eng.1", "eng.2", "eng.cup")[i % 3] for i in range(n)],
            "season": ["2020-21" if i < 120 else "2021-22" for i in range(n)],
            "home_goals": GENERATOR.integers(0, 4, n),
            "away_goals": GENERATOR.integers(0, 4, n),
        }
    )
    for prefix in FORECASTERS.values():
        chances = GENERATOR.dirichlet((4, 3, 3), n)
        if prefix == "bookmaker_":
            chances[:100] = chances[200:] = np.nan
        table = table.with_columns(
            pl.Series(f"{prefix}{name}", chances[:, i]).fill_nan(None)
            for i, name in enumerate(("p_home", "p_draw", "p_away"))
        )
    return table


def by_name(blocks: list[Block]) -> dict[str, Block]:
    return {block.name: block for block in blocks}


def test_blocks_are_all_matches_tiers_seasons_and_the_same_where_there_are_odds(
    forecasts: pl.DataFrame,
) -> None:
    blocks = by_name(blocks_of(forecasts))

    matches = {name: block.matches for name, block in blocks.items()}
    assert matches == {
        "all matches": 300,
        "all matches, cups": 100,
        "all matches, tier 1": 100,
        "all matches, tier 2": 100,
        "all matches, 2020-21": 120,
        "all matches, 2021-22": 180,
        "with odds": 100,
        "with odds, cups": 33,
        "with odds, tier 1": 33,
        "with odds, tier 2": 34,
        "with odds, 2020-21": 20,
        "with odds, 2021-22": 80,
    }


def test_everybody_is_scored_on_the_same_matches_and_the_bookmaker_only_where_it_has_odds(
    forecasts: pl.DataFrame,
) -> None:
    blocks = by_name(blocks_of(forecasts))
    priced = forecasts[100:200]

    assert [row.forecaster for row in blocks["with odds"].rows] == list(FORECASTERS)
    assert [row.forecaster for row in blocks["all matches"].rows] == list(FORECASTERS)[:-1]
    for row in blocks["with odds"].rows:
        expected = score(probabilities_of(priced, FORECASTERS[row.forecaster]), outcomes_of(priced))
        assert row.scores == expected
        if row.differences:
            ours = score(probabilities_of(priced), outcomes_of(priced))
            assert row.differences["rps"].value == pytest.approx(expected.rps - ours.rps)


def test_matches_without_any_odds_have_no_block_with_odds(forecasts: pl.DataFrame) -> None:
    without = forecasts.with_columns(pl.col("^bookmaker_.*$") * None)

    assert not any(name.startswith("with odds") for name in by_name(blocks_of(without)))


def test_every_forecaster_is_there_with_probabilities_of_every_match(
    tensors: SequenceTensors, comparison: ForecasterComparison
) -> None:
    played = tensors.keys.filter(pl.col("is_played") & (pl.col("kickoff_date") >= START))
    forecasts = comparison.forecasts

    assert forecasts["home_team"].to_list() == played["home_team"].to_list()
    for name, prefix in FORECASTERS.items():
        chances = probabilities_of(forecasts, prefix)
        known = ~np.isnan(chances[:, 0])
        assert known.all() or name == "bookmaker"
        np.testing.assert_allclose(chances[known].sum(axis=1), 1, atol=1e-6)
    assert [row.forecaster for row in by_name(comparison.blocks)["with odds"].rows] == list(FORECASTERS)
    assert sum(comparison.importances.values()) == pytest.approx(1, abs=1e-2)


def test_those_who_know_the_strengths_beat_the_class_prior(comparison: ForecasterComparison) -> None:
    priced, every = (
        {row.forecaster: row.scores.log_loss for row in by_name(comparison.blocks)[name].rows}
        for name in ("with odds", "all matches")
    )

    assert priced["bookmaker"] < priced["class prior"]
    assert every["Dixon–Coles"] < every["class prior"]


def test_the_figure_shows_every_forecaster_but_the_class_prior(comparison: ForecasterComparison) -> None:
    panels = comparison_plot(comparison).axes[2:]

    names = [axes.get_title().split(" (")[0] for axes in panels]
    assert names == [name for name in FORECASTERS if name != "class prior"]


def test_a_rival_that_is_not_installed_is_left_out_and_said(
    tensors: SequenceTensors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "is_installed", lambda package: False)

    found = compare_forecasters(tensors, START, date(2014, 9, 1), CONFIG)

    assert [row.forecaster for row in found.blocks[0].rows] == ["class prior", "Elo, logistic", "LSTM"]
    assert [note.split()[0] for note in found.notes] == ["penaltyblog", "lightgbm"]
    assert all('pip install -c constraints.txt -e ".[dev]"' in note for note in found.notes)
    assert [axes.get_title() for axes in comparison_plot(found).axes[2:]] == [
        "Elo, logistic",
        "LSTM",
        "bookmaker (12)",
    ]
