"""Blocks of matches: all forecasters on the same matches, and the number of them with odds of each bookmaker."""

from datetime import date

import numpy as np
import polars as pl
import pytest

from football_assets.comparison.blocks import OURS, Block, blocks_of
from football_assets.comparison.rivals import RIVALS
from football_assets.domain.scoring_rules import score
from football_assets.training.backtest import outcomes_of
from football_assets.training.evaluation import probabilities_of

GENERATOR = np.random.default_rng(5)
COLUMNS = ("p_home", "p_draw", "p_away")
MODELS = [rival.name for rival in RIVALS if rival.kind == "model"]
PRE_MATCH, CLOSING = "bookmaker, pre-match average", "bookmaker, closing average"
FIRST, PUBLISHED = "bookmaker, first odds on file", "FiveThirtyEight"
PREFIXES = {rival.name: f"{rival.key}_" for rival in RIVALS} | {OURS: ""}
KNOWN = {PRE_MATCH: range(100, 200), CLOSING: range(90, 200), PUBLISHED: range(150, 250)}


@pytest.fixture
def forecasts() -> pl.DataFrame:
    """Made up: 300 matches of two tiers and a cup; two bookmakers and FiveThirtyEight have some, one has none."""
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
    for name, prefix in PREFIXES.items():
        chances = GENERATOR.dirichlet((4, 3, 3), n)
        known = KNOWN.get(name, range(n) if name in (*MODELS, OURS) else ())
        chances[[i for i in range(n) if i not in known]] = np.nan
        table = table.with_columns(
            pl.Series(f"{prefix}{column}", chances[:, i]).fill_nan(None) for i, column in enumerate(COLUMNS)
        )
    return table


def by_name(blocks: list[Block]) -> dict[str, Block]:
    return {block.name: block for block in blocks}


def test_blocks_are_all_matches_those_with_odds_and_those_of_fivethirtyeight(forecasts: pl.DataFrame) -> None:
    matches = {block.name: block.matches for block in blocks_of(forecasts, RIVALS)}

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
        f"with {CLOSING}": 110,
        "matches of FiveThirtyEight": 100,
        "matches of FiveThirtyEight with odds": 50,
    }


def test_a_block_says_how_many_of_its_matches_each_bookmaker_has(forecasts: pl.DataFrame) -> None:
    blocks = by_name(blocks_of(forecasts, RIVALS))

    assert blocks["all matches"].known == {PUBLISHED: 100, PRE_MATCH: 100, CLOSING: 110}
    assert blocks["matches of FiveThirtyEight"].known == {PUBLISHED: 100, PRE_MATCH: 50, CLOSING: 50}
    assert blocks["with odds, 2020-21"].known == {PUBLISHED: 0, PRE_MATCH: 20, CLOSING: 20}
    assert "110 matches, " in blocks[f"with {CLOSING}"].describe()
    assert f"{PRE_MATCH}: 100; {CLOSING}: 110" in blocks[f"with {CLOSING}"].describe()


def test_a_block_has_the_models_and_those_who_know_all_of_its_matches(forecasts: pl.DataFrame) -> None:
    blocks = by_name(blocks_of(forecasts, RIVALS))

    rows = {name: [row.forecaster for row in block.rows] for name, block in blocks.items()}
    assert rows["all matches"] == [*MODELS, OURS]
    assert rows["with odds"] == [*MODELS, OURS, PRE_MATCH, CLOSING]
    assert rows[f"with {CLOSING}"] == [*MODELS, OURS, CLOSING]
    assert rows["matches of FiveThirtyEight"] == [*MODELS, OURS, PUBLISHED]
    assert rows["matches of FiveThirtyEight with odds"] == [*MODELS, OURS, PUBLISHED, PRE_MATCH, CLOSING]


@pytest.mark.parametrize(
    ("block", "first", "end"),
    [
        ("with odds", 100, 200),
        (f"with {CLOSING}", 90, 200),
        ("matches of FiveThirtyEight with odds", 150, 200),
    ],
)
def test_everybody_is_scored_on_the_matches_of_the_block(
    forecasts: pl.DataFrame, block: str, first: int, end: int
) -> None:
    here = forecasts[first:end]
    ours = score(probabilities_of(here), outcomes_of(here))

    for row in by_name(blocks_of(forecasts, RIVALS))[block].rows:
        expected = score(probabilities_of(here, PREFIXES[row.forecaster]), outcomes_of(here))
        assert row.scores == expected
        if row.forecaster != OURS:
            assert row.differences["rps"].value == pytest.approx(expected.rps - ours.rps)


def test_matches_without_any_odds_have_no_block_with_odds(forecasts: pl.DataFrame) -> None:
    without = forecasts.with_columns(pl.col("^(bookmaker|fivethirtyeight)_.*$") * None)

    blocks = blocks_of(without, RIVALS)

    assert {block.name.split(",")[0] for block in blocks} == {"all matches"}
    assert not blocks[0].known


def test_bookmakers_without_a_match_in_common_have_a_block_each(forecasts: pl.DataFrame) -> None:
    apart = forecasts.with_columns(
        pl.when(pl.int_range(pl.len()) < 95).then(pl.col("^bookmaker_closing_.*$"))
    )

    matches = {block.name: block.matches for block in blocks_of(apart, RIVALS)}

    assert "with odds" not in matches
    assert (matches[f"with {PRE_MATCH}"], matches[f"with {CLOSING}"]) == (100, 5)


def test_the_figures_of_a_block_are_written_by_forecaster(forecasts: pl.DataFrame) -> None:
    block = by_name(blocks_of(forecasts, RIVALS))["with odds"]

    written = block.as_dict()

    assert written["known"] == block.known
    assert written["forecasters"][CLOSING]["log_loss"] == block.rows[-1].scores.log_loss
    assert written["forecasters"][OURS]["differences"] == {}
