"""The fixture list follows the table in the bucket, and knows its days."""

from datetime import date, timedelta

import polars as pl
import pytest

from football_assets.sequences.fixture_days import FIXTURE_TABLE
from football_assets.storage.local import LocalBucket
from football_assets.storage.tables import read_table, write_table
from serve.fixture_list import FixtureList


@pytest.fixture
def listed(demo_bucket: LocalBucket) -> FixtureList:
    return FixtureList.read(demo_bucket, FixtureList.empty())


def test_a_list_that_has_not_changed_is_not_read_again(demo_bucket: LocalBucket, listed: FixtureList) -> None:
    assert FixtureList.read(demo_bucket, listed) is listed


def test_a_table_written_anew_replaces_the_list(demo_bucket: LocalBucket, listed: FixtureList) -> None:
    table = read_table(demo_bucket, FIXTURE_TABLE)
    write_table(
        demo_bucket, FIXTURE_TABLE, table.filter(pl.col("league_id") == "eng.1").with_columns(model_version=7)
    )

    again = FixtureList.read(demo_bucket, listed)

    assert (len(listed.rows), len(listed.overdue)) == (1368, 1)
    assert len(again.rows) == 260
    assert (listed.model_version, again.model_version) == (1, 7)
    assert again.day_of("de.1", "FC Bayern München", "1. FC Köln", date.min) is None


def test_without_a_table_or_a_fixture_the_list_is_empty(
    demo_bucket: LocalBucket, listed: FixtureList
) -> None:
    write_table(demo_bucket, FIXTURE_TABLE, read_table(demo_bucket, FIXTURE_TABLE).clear())
    empty = FixtureList.read(demo_bucket, listed)
    assert (empty.rows, empty.overdue, empty.model_version) == ([], [], None)

    demo_bucket.delete("tables/fixture_predictions.parquet")
    gone = FixtureList.read(demo_bucket, listed)
    assert (gone.rows, gone.object_version) == ([], None)


def test_the_day_of_two_teams_is_that_of_their_next_match_in_that_order(listed: FixtureList) -> None:
    assert listed.day_of("eng.1", "Arsenal", "Chelsea", date.min) == date(2016, 1, 23)
    assert listed.day_of("eng.1", "Chelsea", "Arsenal", date.min) is None
    assert listed.day_of("de.1", "Arsenal", "Chelsea", date.min) is None
    twice: dict[tuple[str, str, str], list[date]] = {}
    for row in listed.rows:
        twice.setdefault((row["league"], row["home_team"], row["away_team"]), []).append(row["date"])
    for (league, home, away), days in twice.items():
        first, last = min(days), max(days)
        assert listed.day_of(league, home, away, first) == first
        assert listed.day_of(league, home, away, last) == last
        assert listed.day_of(league, home, away, last + timedelta(days=1)) is None
    assert any(len(days) > 1 for days in twice.values())


def test_the_fixtures_of_a_table_without_the_mark_are_all_coming(
    demo_bucket: LocalBucket, listed: FixtureList
) -> None:
    write_table(demo_bucket, FIXTURE_TABLE, read_table(demo_bucket, FIXTURE_TABLE).drop("is_overdue"))

    again = FixtureList.read(demo_bucket, listed)

    assert (len(again.rows), again.overdue) == (1369, [])


def test_a_fixture_has_its_inputs_and_the_odds_that_its_forecast_uses(
    demo_bucket: LocalBucket, listed: FixtureList
) -> None:
    table = read_table(demo_bucket, FIXTURE_TABLE)
    is_first = pl.int_range(pl.len()) == 0
    odds = {"odds_home": 2.1, "odds_draw": 3.4, "odds_away": 3.6}
    changed = table.with_columns(
        pl.when(is_first).then(pl.lit("results+match_odds")).otherwise("inputs").alias("inputs"),
        *(pl.when(is_first).then(value).alias(name) for name, value in odds.items()),
    )
    write_table(demo_bucket, FIXTURE_TABLE, changed)

    first, second = FixtureList.read(demo_bucket, listed).rows[:2]

    assert (first["inputs"], first["odds"]) == ("results+match_odds", {"home": 2.1, "draw": 3.4, "away": 3.6})
    assert (second["inputs"], second["odds"]) == ("results", None)


def test_the_fixtures_of_a_table_of_before_there_were_tiers_are_from_results(
    demo_bucket: LocalBucket, listed: FixtureList
) -> None:
    table = read_table(demo_bucket, FIXTURE_TABLE)
    write_table(demo_bucket, FIXTURE_TABLE, table.drop("inputs", "odds_home", "odds_draw", "odds_away"))

    again = FixtureList.read(demo_bucket, listed)

    assert {(row["inputs"], row["odds"]) for row in again.rows} == {("results", None)}


def test_both_ends_of_a_period_belong_to_it(listed: FixtureList) -> None:
    day = date(2016, 1, 23)
    found = listed.select("eng.1", day, day)
    assert {row["date"] for row in found} == {day}
    assert ("Arsenal", "Chelsea") in {(row["home_team"], row["away_team"]) for row in found}
    before = listed.select("eng.1", None, date(2016, 1, 22))
    after = listed.select("eng.1", date(2016, 1, 24), None)
    assert len(before) + len(found) + len(after) == len(listed.select("eng.1", None, None)) == 260
