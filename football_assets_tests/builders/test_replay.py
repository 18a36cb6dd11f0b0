"""Normal seasons raise no alarm; seasons with more goals, or without home advantage, do.

In a simulated country, and on the real results of TESTS_FOOTBALLCSV_FOLDER, if it is set. Ratings and form are computed
from the rewritten results.
"""

import os
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from football_assets.monitoring.schema import LOG_SCHEMA
from football_assets.raw.landing import inventory, land
from football_assets.raw.schema import Match
from football_assets.storage.local import LocalBucket
from football_assets.training.config import NetworkConfig, TrainingConfig
from football_assets_tests.builders.landings import read_seasons
from football_assets_tests.builders.replay import (
    Window,
    ask_for_every_match,
    build_world,
    learn,
    more_goals,
    replay,
    without_home_advantage,
)
from football_assets_tests.builders.worlds import simulated_country

REAL = os.environ.get("TESTS_FOOTBALLCSV_FOLDER")
REAL_LEAGUES = ("eng.1", "eng.2", "es.1", "it.1")
CONFIG = TrainingConfig(network=NetworkConfig(hidden=8, trunk=16), epochs=8)
REWRITES: dict[str, Callable[[pl.DataFrame, date], pl.DataFrame]] = {
    "as it was": lambda matches, _: matches,
    "more goals": more_goals,
    "no home advantage": without_home_advantage,
}


@pytest.fixture(scope="module")
def country() -> pl.DataFrame:
    """Five seasons of two tiers, 1,104 league matches a season."""
    return Match.validate(simulated_country(seed=4, teams=24, seasons=5, unplayed_rounds=0))


def statuses(
    matches: pl.DataFrame, first: date, last: date, days: int, folder: Path
) -> dict[str, list[Window]]:
    """The windows of a season in each world, judged by a model that learnt from the results before it."""
    windows = {}
    learnt = None
    for name, rewrite in REWRITES.items():
        world = build_world(rewrite(matches, first), folder / name.replace(" ", "_"))
        learnt = learnt or learn(world, first, CONFIG)
        log = ask_for_every_match(world, learnt, first, last)
        windows[name] = replay(log, world.matches, learnt.production, first, last, days)
    return windows


def alarms(windows: list[Window]) -> list[bool]:
    return [window.status == "drift" for window in windows if window.status != "insufficient_data"]


def test_a_simulated_season_is_no_alarm_and_its_changes_are(country: pl.DataFrame, tmp_path: Path) -> None:
    """Lost home advantage raises an alarm until the inputs of the network, which is not retrained, reflect it."""
    found = statuses(country, date(2013, 8, 1), date(2014, 7, 15), 90, tmp_path)

    assert alarms(found["as it was"]) == [False] * 3
    assert alarms(found["more goals"]) == [True] * 3
    assert alarms(found["no home advantage"]) == [True, False, False]
    assert found["more goals"][0].report.summary.reasons[0].startswith("goals ")
    assert found["no home advantage"][0].report.summary.reasons[0].startswith("home goal difference ")


@pytest.mark.skipif(REAL is None, reason="TESTS_FOOTBALLCSV_FOLDER names no folder of footballcsv's seasons")
def test_real_seasons_are_no_alarm_and_their_changes_are(tmp_path: Path) -> None:
    assert REAL is not None
    bucket = LocalBucket(tmp_path / "landed")
    wanted = [f"{year}-{(year + 1) % 100:02}" for year in range(2004, 2012)]
    land(bucket, [Path(REAL, season, f"{league}.csv") for season in wanted for league in REAL_LEAGUES])
    matches = read_seasons(bucket, inventory(bucket).seasons, datetime.now(UTC).date()).matches

    found = statuses(matches, date(2010, 8, 1), date(2012, 6, 30), 90, tmp_path)

    # Two seasons and the summer between them, which is quiet or like any other.
    assert not any(alarms(found["as it was"]))
    assert len(alarms(found["as it was"])) >= 6
    for name in ("more goals", "no home advantage"):
        assert alarms(found[name])[0], name
    assert np.mean(alarms(found["more goals"])) > 0.7
    assert np.mean(alarms(found["no home advantage"])) < 0.5


def test_every_match_is_asked_for_once_the_day_before(country: pl.DataFrame, tmp_path: Path) -> None:
    early = country.filter(pl.col("kickoff_date") < date(2012, 8, 1))
    world = build_world(early, tmp_path)
    learnt = learn(world, date(2012, 4, 1), CONFIG)

    log = ask_for_every_match(world, learnt, date(2012, 4, 1), date(2012, 4, 30))

    expected = world.matches.filter(pl.col("kickoff_date").is_between(date(2012, 4, 1), date(2012, 4, 30)))
    pairs = ["kickoff_date", "home_team_id", "away_team_id"]
    assert sorted(log.select(pairs).rows()) == sorted(expected.select(pairs).rows())
    assert log.columns == [*LOG_SCHEMA, *world.tensors.spec.context_names]
    assert (log["time"].dt.date() < log["kickoff_date"]).all()
    assert learnt.production.reference["kickoff_date"].max() < date(2012, 4, 1)  # type: ignore[operator]


def test_rewritten_results_differ_from_the_day_on_and_as_said(country: pl.DataFrame) -> None:
    since = date(2013, 8, 1)
    later = pl.col("kickoff_date") >= since

    def goals(matches: pl.DataFrame) -> tuple[float, float]:
        part = matches.filter(later).drop_nulls(["home_goals", "away_goals"])
        return tuple(float(part[f"{side}_goals"].to_numpy().mean()) for side in ("home", "away"))  # type: ignore[return-value]

    more, level = more_goals(country, since), without_home_advantage(country, since)

    home, away = goals(country)
    assert sum(goals(more)) == pytest.approx(home + away + 0.7, abs=0.05)
    assert goals(level)[0] == pytest.approx(goals(level)[1], abs=0.1)
    assert sum(goals(level)) == pytest.approx(home + away, abs=0.1)
    for rewritten in (more, level):
        assert rewritten.filter(~later).equals(country.filter(~later))
        Match.validate(rewritten)
    assert more_goals(country, since).equals(more)
