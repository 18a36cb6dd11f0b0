"""A feed that stops is named with its leagues, and only comparable inputs of odds and shots are compared."""

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from football_assets.monitoring.config import DriftConfig
from football_assets.monitoring.feeds import comparable_groups, fallen_shares, feed_states, stopped_leagues
from football_assets.monitoring.inputs import column_distances, column_quality, judge_columns, judge_quality
from football_assets.monitoring.matching import Comparison
from football_assets.sequences.spec import FLAG, Feature, FeatureGroup, FeatureSpec
from football_assets_tests.builders.prediction_logs import reference_like

NEWEST = date(2022, 5, 31)
CONFIG = DriftConfig()


def results(league: str, weeks: int, odds_until: date | None, shots: bool = True) -> pl.DataFrame:
    """`stg_matches`: five results of a league on each day of some weeks up to NEWEST."""
    days = [NEWEST - timedelta(days=7 * week) for week in range(weeks) for _ in range(5)]
    return pl.DataFrame(
        {
            "league_id": league,
            "kickoff_date": days,
            "is_played": True,
            "closing_odds_home": [2.0 if odds_until and day <= odds_until else None for day in days],
            "home_shots_on_target": [4 if shots else None] * len(days),
        },
        schema_overrides={"closing_odds_home": pl.Float64, "home_shots_on_target": pl.Int16},
    )


def test_a_feed_that_still_arrives_has_nothing_to_say() -> None:
    states = feed_states(results("eng.1", 40, NEWEST))

    assert [(state.group, state.leagues, state.stopped, state.note) for state in states] == [
        ("odds", 1, (), ""),
        ("shots", 1, (), ""),
    ]


def test_the_leagues_in_which_the_odds_stopped_are_named_with_the_last_day() -> None:
    stopped_on = NEWEST - timedelta(days=35)
    matches = pl.concat(
        [
            results("eng.1", 40, NEWEST),
            results("es.1", 40, stopped_on),
            results("de.1", 40, stopped_on - timedelta(days=7)),
            results("at.1", 40, None),
        ]
    )

    odds, shots = feed_states(matches)

    assert (odds.leagues, odds.stopped, odds.last_day) == (3, ("de.1", "es.1"), stopped_on)
    assert odds.note == (
        f"No odds have landed since {stopped_on} in 2 of the 3 leagues that had them (de.1, es.1): check the source."
    )
    assert (shots.leagues, shots.stopped) == (4, ())
    assert stopped_leagues([odds, shots]) == {"odds": ("de.1", "es.1"), "shots": ()}


def test_odds_of_any_kind_are_odds() -> None:
    stopped_on = NEWEST - timedelta(days=35)
    other = results("eng.1", 40, stopped_on).with_columns(bookmaker_odds_home=pl.lit(2.5))

    (odds, _) = feed_states(other)

    assert odds.stopped == ()


@pytest.mark.parametrize(
    "matches",
    [
        pytest.param(results("eng.1", 7, NEWEST - timedelta(days=35)), id="few matches before"),
        pytest.param(
            results("eng.1", 40, NEWEST - timedelta(days=35)).filter(
                pl.col("kickoff_date") <= NEWEST - timedelta(days=35)
            ),
            id="no match since",
        ),
        pytest.param(
            results("eng.1", 40, NEWEST - timedelta(days=35)).with_columns(is_played=pl.lit(value=False)),
            id="fixtures",
        ),
        pytest.param(results("eng.1", 90, NEWEST - timedelta(days=400)), id="stopped over a year before"),
        pytest.param(
            results("eng.1", 40, NEWEST - timedelta(days=35)).filter(
                ~pl.col("kickoff_date").is_between(NEWEST - timedelta(days=34), NEWEST - timedelta(days=8))
            ),
            id="ten play-offs since",
        ),
        pytest.param(results("eng.1", 40, None).drop("closing_odds_home"), id="no column"),
    ],
)
def test_what_says_nothing_about_the_odds_is_no_stop(matches: pl.DataFrame) -> None:
    assert [state.group for state in feed_states(matches) if state.stopped] == []


# Inputs


def feature(name: str, group: FeatureGroup, unit: str = "goals") -> Feature:
    return Feature(name=name, unit=unit, lower=-9, upper=9, description=name, group=group)


SPEC = FeatureSpec(
    history=(feature("goals_for", "results"),),
    context=(
        feature("home_elo", "results"),
        feature("odds_supremacy", "odds"),
        feature("odds_total", "odds"),
        feature("odds_rated", "odds", FLAG),
        feature("shots_margin", "shots"),
        feature("shots_rated", "shots", FLAG),
        *(feature(f"match_odds_p_{side}", "match_odds") for side in ("home", "draw", "away")),
    ),
)
_GROUPED = {"odds_supremacy": 0.2, "odds_total": 0.7, "shots_margin": -0.4}


def rated(matches: int, seed: int = 0) -> pl.DataFrame:
    """Rows of a reference in which all teams are rated by odds and shots, without odds of the match."""
    frame = reference_like(matches, seed=seed)
    noise = frame.select("home_elo").to_series()
    noise = (noise - noise.mean()) / noise.std()
    return frame.with_columns(
        *((noise * 0.3 + mean).alias(name) for name, mean in _GROUPED.items()),
        odds_rated=pl.lit(1.0),
        shots_rated=pl.lit(1.0),
        **{f"match_odds_p_{side}": pl.lit(None, pl.Float64) for side in ("home", "draw", "away")},
    )


def unrated(frame: pl.DataFrame, rows: pl.Expr) -> pl.DataFrame:
    """The same matches where the teams of some are not rated by odds."""
    return frame.with_columns(
        *(pl.when(~rows).then(pl.col(name)).alias(name) for name in ("odds_supremacy", "odds_total")),
        odds_rated=pl.when(rows).then(0.0).otherwise(1.0),
    )


def within_bounds(window: pl.DataFrame) -> Comparison:
    """A window beside the reference, all values within their bounds."""
    flags = {f"{feature.name}__outside": pl.lit(value=False) for feature in SPEC.context}
    return Comparison(window.with_columns(**flags), REFERENCE.with_columns(**flags), 0, 0)


REFERENCE = rated(3000)
WINDOW = rated(400, seed=1)
ALL, GERMAN = pl.lit(value=True), pl.col("league_id") == "de.1"


def compared(
    window: pl.DataFrame, reference: pl.DataFrame = REFERENCE, **stopped: tuple[str, ...]
) -> list[str]:
    """Names of the columns of groups that are compared."""
    comparison = comparable_groups(Comparison(window, reference, 0, 0), SPEC, stopped)  # type: ignore[arg-type]
    columns = column_distances(comparison, SPEC, CONFIG)
    assert not judge_columns(columns, CONFIG, "").drifted
    return sorted(column.name for column in columns if column.group != "results")


def test_inputs_of_groups_that_are_known_are_compared_and_flags_are_not() -> None:
    assert compared(WINDOW) == ["odds_supremacy", "odds_total", "shots_margin"]


def test_odds_that_were_never_known_or_are_known_no_more_are_not_compared_and_no_drift() -> None:
    assert compared(unrated(WINDOW, ALL)) == ["shots_margin"]
    assert compared(WINDOW, unrated(REFERENCE, ALL)) == ["shots_margin"]
    assert compared(unrated(WINDOW, ALL), unrated(REFERENCE, ALL)) == ["shots_margin"]


def test_odds_of_one_league_are_compared_with_those_of_that_league() -> None:
    differs = pl.when(GERMAN).then(pl.col("odds_total") + 2).otherwise("odds_total")
    window, reference = (frame.with_columns(odds_total=differs) for frame in (WINDOW, REFERENCE))

    assert "odds_total" in compared(unrated(window, GERMAN), reference)
    comparison = comparable_groups(Comparison(unrated(window, GERMAN), reference, 0, 0), SPEC, {})
    (total,) = (c for c in column_distances(comparison, SPEC, CONFIG) if c.name == "odds_total")
    assert total.reference_mean == pytest.approx(reference.filter(league_id="eng.1")["odds_total"].mean())


def test_a_column_that_few_teams_have_must_differ_by_more() -> None:
    few = pl.int_range(pl.len()) >= 24
    comparison = comparable_groups(Comparison(unrated(WINDOW, few), REFERENCE, 0, 0), SPEC, {})

    columns = {column.name: column for column in column_distances(comparison, SPEC, CONFIG)}

    teams = pl.concat([WINDOW["home_team_id"][:24], WINDOW["away_team_id"][:24]]).n_unique()
    matches = REFERENCE["match_id"].n_unique()
    expected = CONFIG.noise * np.sqrt(1 / teams + 1 / min(teams, matches))
    assert columns["odds_total"].threshold == pytest.approx(expected)
    assert columns["shots_margin"].threshold < expected


def test_a_few_rated_matches_with_a_missing_input_are_no_defect() -> None:
    few = pl.int_range(pl.len()) >= 5
    window = unrated(WINDOW, few).with_columns(odds_total=pl.lit(None, pl.Float64))

    names = {quality.name for quality in column_quality(within_bounds(window), SPEC)}

    assert "odds_total" not in names
    assert "shots_margin" in names


def test_stale_odds_of_a_stopped_feed_are_not_compared() -> None:
    stale = WINDOW.with_columns(pl.col("odds_total") + 50)

    assert compared(stale, odds=("eng.1", "de.1")) == ["shots_margin"]
    half = pl.when(GERMAN).then(pl.col("odds_total") + 50).otherwise("odds_total")
    assert "odds_total" in compared(WINDOW.with_columns(odds_total=half), odds=("de.1",))


def test_odds_that_have_moved_without_a_stop_are_drift() -> None:
    moved = WINDOW.with_columns(pl.col("odds_total") + 50)
    comparison = comparable_groups(Comparison(moved, REFERENCE, 0, 0), SPEC, {})

    finding = judge_columns(column_distances(comparison, SPEC, CONFIG), CONFIG, "")

    assert finding.drifted
    assert "beyond any season: odds_total" in finding.note


def test_missing_odds_are_no_defect_and_missing_inputs_of_rated_teams_are() -> None:
    def quality(window: pl.DataFrame) -> tuple[bool | None, str]:
        found = judge_quality(column_quality(within_bounds(window), SPEC), window, CONFIG)
        return found.drifted, found.note

    assert quality(unrated(WINDOW, ALL))[0] is False
    assert quality(unrated(WINDOW, GERMAN))[0] is False
    torn = pl.when(pl.int_range(pl.len()) % 2 == 0).then("odds_total")
    assert quality(WINDOW.with_columns(odds_total=torn)) == (
        True,
        "odds_total (50% missing, 0% out of range).",
    )


def test_a_share_of_rated_matches_that_fell_is_said() -> None:
    assert fallen_shares(Comparison(WINDOW, REFERENCE, 0, 0)) == []
    assert fallen_shares(Comparison(WINDOW, unrated(REFERENCE, ALL), 0, 0)) == []
    (note,) = fallen_shares(Comparison(unrated(WINDOW, ALL), REFERENCE, 0, 0))
    assert note.startswith("0% of the forecasts have past odds, and 100% of the training reference had them")
