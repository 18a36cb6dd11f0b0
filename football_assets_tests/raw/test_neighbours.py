"""A match that stands in the folders of two seasons counts once, in the season it belongs to."""

from datetime import date

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from football_assets.domain.columns import country_column
from football_assets.raw.countries import landed_countries, objects_of
from football_assets.raw.landing import inventory
from football_assets.raw.matches import ReadMatches, read_countries
from football_assets.storage.bucket import Bucket
from football_assets.storage.opening import open_bucket
from football_assets_tests.builders.landings import csv_of, json_of, listed, put

TODAY = date(2022, 8, 1)


def results(found: ReadMatches) -> list[tuple[str, str, str, int | None]]:
    rows = found.matches.select("season", "kickoff_date", "home_team", "home_goals").iter_rows()
    return [(season, str(day), team, goals) for season, day, team, goals in rows]


def read_all(bucket: Bucket) -> ReadMatches:
    """All countries, read together and each alone: they must agree to the bit."""
    countries = landed_countries(inventory(bucket))
    together = read_countries(bucket, countries, TODAY)
    alone = [read_countries(bucket, [country], TODAY) for country in countries]
    assert together.matches.equals(pl.concat([read.matches for read in alone]))
    assert together.rejected.equals(pl.concat([read.rejected for read in alone]))
    return together


@pytest.mark.parametrize("ages", [(1, 2), (2, 1)])
def test_a_match_of_august_in_the_folder_of_the_season_before_counts_once(
    bucket: Bucket, ages: tuple[int, int]
) -> None:
    rows = ["Fri May 1 2020,Fulham,3-1,?,Burnley", "Sat Aug 29 2020,Leeds,1-1,?,Hull"]
    put(bucket, "a/2019-20/eng.2.csv", csv_of(*rows), age=ages[0])
    put(bucket, "a/2020-21/eng.2.csv", csv_of(rows[1]), age=ages[1])
    found = read_all(bucket)
    assert results(found) == [
        ("2019-20", "2020-05-01", "Fulham", 3),
        ("2020-21", "2020-08-29", "Leeds United", 1),
    ]


def test_a_late_match_of_the_pandemic_belongs_to_the_season_that_was_still_played(bucket: Bucket) -> None:
    row = "Sun Jul 26 2020,Leeds,1-1,?,Hull"
    for season in ("2019-20", "2020-21"):
        put(bucket, f"a/{season}/eng.2.csv", csv_of(row))
    assert results(read_all(bucket)) == [("2019-20", "2020-07-26", "Leeds United", 1)]


def test_a_season_under_a_calendar_year_and_from_autumn_to_spring_is_one(bucket: Bucket) -> None:
    """Argentina played 2019-20 from autumn to spring; each source lists a match that the other does not."""
    both = [("2019-10-05", "River Plate", "2-0"), ("2020-02-29", "Racing Club", "1-1")]
    rows = [f"{day},{team},{score},?,Boca Juniors" for day, team, score in both]
    put(bucket, "a/2019-20/ar.1.csv", csv_of(*rows, "2020-03-07,Colon,0-0,?,Boca Juniors"))
    put(bucket, "b/2019/ar.1.csv", csv_of("2019-03-02,Colon,3-0,?,Boca Juniors", rows[0]))
    put(bucket, "b/2020/ar.1.csv", csv_of(rows[1]))
    found = read_all(bucket)
    assert results(found) == [
        ("2019", "2019-03-02", "Colón de Santa Fe", 3),
        ("2019-20", "2019-10-05", "River Plate", 2),
        ("2019-20", "2020-02-29", "Racing Club", 1),
        ("2019-20", "2020-03-07", "Colón de Santa Fe", 0),
    ]
    assert found.rejected.is_empty()


def test_the_result_of_the_other_folder_counts_where_the_own_has_a_fixture(bucket: Bucket) -> None:
    put(bucket, "a/2020-21/eng.2.json", json_of(listed("2020-08-29", "Leeds", "Hull", round="Matchday 1")))
    put(bucket, "a/2019-20/eng.2.csv", csv_of("Sun Aug 30 2020,Leeds,1-1,?,Hull"))
    found = read_all(bucket)
    assert results(found) == [("2020-21", "2020-08-30", "Leeds United", 1)]
    assert found.matches["round"].to_list() == ["Matchday 1"]


def test_a_match_that_one_season_alone_lists_stays_there(bucket: Bucket) -> None:
    put(bucket, "a/2019-20/eng.2.csv", csv_of("Sat Aug 29 2020,Leeds,1-1,?,Hull"))
    put(bucket, "a/2020-21/eng.2.csv", csv_of("Sat Sep 5 2020,Leeds,1-1,?,Hull"))
    assert [season for season, *_ in results(read_all(bucket))] == ["2019-20", "2020-21"]


def test_two_pairs_of_one_day_in_the_folders_of_two_seasons_are_two_matches(bucket: Bucket) -> None:
    put(bucket, "a/2019-20/eng.2.csv", csv_of("Sat Aug 29 2020,Leeds,1-1,?,Hull"))
    put(bucket, "a/2020-21/eng.2.csv", csv_of("Sat Aug 29 2020,Millwall,2-0,?,Stoke"))
    assert results(read_all(bucket)) == [
        ("2019-20", "2020-08-29", "Leeds United", 1),
        ("2020-21", "2020-08-29", "Millwall", 2),
    ]


def test_only_objects_of_the_countries_are_read_in_order_of_source(bucket: Bucket) -> None:
    for name in ("data-2/2019-20/eng.2.csv", "data/2020-21/eng.cup.csv", "data/2020-21/es.1.csv"):
        put(bucket, name, csv_of())
    put(bucket, "data/2019-20/eng.2.csv", csv_of())
    assert [item.info.name for item in objects_of(inventory(bucket), ["eng"])] == [
        "raw/data/2019-20/eng.2.csv",
        "raw/data/2020-21/eng.cup.csv",
        "raw/data-2/2019-20/eng.2.csv",
    ]


FOLDERS = (
    "a/2018-19/ar.1",
    "a/2019-20/br.1",
    "a/2019-20/ar.1",
    "b/2019-20/ar.1",
    "b/2019-20/ar.2",
    "b/2019/ar.1",
    "b/2020/ar.1",
)
ROWS = st.builds(
    lambda day, home, away, score: f"{day},{home},{score},?,{away}",
    st.sampled_from(
        [date(2019, month, day) for month in (6, 8, 12) for day in (1, 3, 29)] + [date(2020, 2, 1)]
    ),
    st.sampled_from(["Lanus", "Tigre"]),
    st.sampled_from(["Tigre", "Banfield"]),
    st.sampled_from(["0-0", "2-1", "?"]),
)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.lists(ROWS, max_size=5), min_size=7, max_size=7), st.permutations(range(7)))
def test_countries_read_alone_and_together_and_in_any_order_of_landing_agree(
    tmp_path_factory: pytest.TempPathFactory, files: list[list[str]], order: list[int]
) -> None:
    bucket = open_bucket(str(tmp_path_factory.mktemp("bucket")))
    for folder, rows in zip(FOLDERS, files, strict=True):
        put(bucket, f"{folder}.csv", csv_of(*rows))
    first = read_all(bucket)
    for age, number in enumerate(order):
        put(bucket, f"{FOLDERS[number]}.csv", csv_of(*files[number]), age=age)
    second = read_all(bucket)
    assert first.matches.drop("source_version").equals(second.matches.drop("source_version"))
    sides = [
        second.matches.select(country_column(), "season", "kickoff_date", team=side)
        for side in ("home_team", "away_team")
    ]
    assert pl.concat(sides).is_unique().all()
