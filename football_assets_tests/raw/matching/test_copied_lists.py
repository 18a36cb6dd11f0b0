"""One list under two leagues of a season: the league of its clubs keeps it."""

from datetime import date, timedelta

import pytest

from football_assets.raw.matches import ReadMatches
from football_assets.raw.quality import unreadable_files
from football_assets.storage.bucket import Bucket
from football_assets_tests.builders.landings import TODAY, csv_of, put, read_season

FIRST = ["Fulham", "Burnley", "Reading", "Watford"]
SECOND = ["Barnet", "Bury", "Crewe", "Exeter"]


def rounds(teams: list[str], year: int = 2014) -> str:
    """Every team against every other at home, week by week."""
    pairs = [(home, away) for home in teams for away in teams if home != away]
    days = [date(year, 8, 16) + timedelta(days=7 * week) for week in range(len(pairs))]
    return csv_of(*(f"{day},{home},2-1,?,{away}" for day, (home, away) in zip(days, pairs, strict=True)))


def leagues(found: ReadMatches) -> set[str]:
    return set(found.matches["league_id"])


@pytest.mark.parametrize("ages", [(1, 2), (2, 1)])
@pytest.mark.parametrize(
    ("evidence", "kept"),
    [
        ({}, "eng.3"),  # nothing says which: the higher tier
        ({"a/2013-14/eng.4.csv": rounds(FIRST, 2013)}, "eng.4"),
        ({"a/2015-16/eng.4.csv": rounds([*FIRST[:3], SECOND[0]], 2015)}, "eng.4"),
        ({"b/2014-15/eng.4.csv": rounds(FIRST)}, "eng.4"),
        ({"a/2013-14/eng.4.csv": rounds(SECOND, 2013)}, "eng.3"),
        ({"a/2011-12/eng.4.csv": rounds(FIRST, 2011)}, "eng.3"),  # too long ago
    ],
)
def test_the_league_whose_other_files_have_the_clubs_keeps_the_list(
    bucket: Bucket, evidence: dict[str, str], kept: str, ages: tuple[int, int]
) -> None:
    for name, content in evidence.items():
        put(bucket, name, content)
    for league, age in zip(("eng.3", "eng.4"), ages, strict=True):
        put(bucket, f"a/2014-15/{league}.csv", rounds(FIRST), age=age)
    found = read_season(bucket, "2014-15", TODAY)
    assert leagues(found) == {kept}
    assert found.matches.height == 12
    lost = "eng.3" if kept == "eng.4" else "eng.4"
    (refused,) = unreadable_files(found.rejected).iter_rows(named=True)
    assert refused["source_object"] == f"raw/a/2014-15/{lost}.csv"
    assert refused["reason"].startswith(
        f"The file holds the matches of {kept}, not of {lost}: 12 of them are those of raw/a/2014-15/{kept}.csv."
    )


def test_the_right_list_of_another_source_is_untouched(bucket: Bucket) -> None:
    put(bucket, "a/2014-15/eng.3.csv", rounds(FIRST))
    put(bucket, "a/2014-15/eng.4.csv", rounds(FIRST))
    put(bucket, "b/2014-15/eng.4.csv", rounds(SECOND))
    found = read_season(bucket, "2014-15", TODAY)
    assert found.matches.group_by("league_id").len().sort("league_id").rows() == [
        ("eng.3", 12),
        ("eng.4", 12),
    ]
    assert found.rejected["source_object"].to_list() == ["raw/a/2014-15/eng.4.csv"]


def test_a_few_matches_that_two_leagues_list_are_no_copy(bucket: Bucket) -> None:
    rows = rounds(FIRST).splitlines()
    put(bucket, "a/2014-15/eng.3.csv", csv_of(*rows[1:]))
    put(bucket, "a/2014-15/eng.4.csv", csv_of(*rows[1:4], *rounds(SECOND).splitlines()[1:]))
    found = read_season(bucket, "2014-15", TODAY)
    assert unreadable_files(found.rejected).is_empty()
    assert leagues(found) == {"eng.3", "eng.4"}


@pytest.mark.parametrize("longer", ["eng.3", "eng.4"])
def test_a_short_list_is_a_copy_by_its_own_length(bucket: Bucket, longer: str) -> None:
    rows = rounds(FIRST).splitlines()[1:]
    shorter = "eng.4" if longer == "eng.3" else "eng.3"
    put(bucket, f"a/2014-15/{longer}.csv", csv_of(*rows))
    put(bucket, f"a/2014-15/{shorter}.csv", csv_of(*rows[:4]))
    (refused,) = unreadable_files(read_season(bucket, "2014-15", TODAY).rejected).iter_rows(named=True)
    assert refused["source_object"] == "raw/a/2014-15/eng.4.csv"
    assert "4 of them are those of" in refused["reason"]
