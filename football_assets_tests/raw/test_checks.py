"""The asset checks of the raw tables: what passes, what warns, what blocks, and what each shows."""

from datetime import UTC, date, datetime, timedelta
from itertools import permutations

import polars as pl
import pytest
from dagster import (
    AssetCheckEvaluation,
    AssetCheckKey,
    AssetCheckSeverity,
    AssetKey,
    AssetSelection,
    asset,
)

from football_assets.orchestration.metadata import reasons_of
from football_assets.orchestration.resources import BucketResource
from football_assets.raw.checks import PREVIEW_ROWS, checks
from football_assets.raw.countries import NO_COUNTRY
from football_assets.raw.matches import read_countries
from football_assets.storage.bucket import Bucket
from football_assets.storage.tables import read_table, write_table
from football_assets_tests.builders.landings import TODAY, csv_of, put
from football_assets_tests.builders.raw_graph import check_results, materialize_countries, run_raw_checks

BLOCKING = {"rows_keep_to_the_schema", "no_played_match_lies_in_the_future"}
WARNING = {
    "countries_are_as_new_as_their_files",
    "sources_spell_teams_alike",
    "every_file_can_be_read",
    "few_records_are_rejected",
}
CLUBS = ("Fulham", "Burnley", "Hull", "Leeds", "Reading")


def a_season(first: date, matches: int = 20) -> list[str]:
    """Rows of a file: up to 20 matches of five clubs, one a day."""
    return [
        f"{first + timedelta(days=number):%a %b %-d %Y},{home},2-1,?,{away}"
        for number, (home, away) in enumerate(list(permutations(CLUBS, 2))[:matches])
    ]


def build(bucket: Bucket, *countries: str) -> None:
    """Build the tables of countries from their files."""
    for country in countries:
        read = read_countries(bucket, [country], TODAY)
        for name, table in (("raw_matches", read.matches), ("raw_matches_rejected", read.rejected)):
            write_table(bucket, name, table, country)


def changed(bucket: Bucket, **columns: pl.Expr) -> None:
    """Change the matches of England in the bucket."""
    matches = read_table(bucket, "raw_matches").with_columns(**columns)
    write_table(bucket, "raw_matches", matches, "eng")


@pytest.fixture
def sound(bucket: Bucket, resource: BucketResource) -> BucketResource:
    """A bucket whose tables are built from one sound file of 20 matches."""
    put(bucket, "a/2014-15/eng.1.csv", csv_of(*a_season(date(2014, 8, 16))))
    build(bucket, "eng")
    return resource


def found_by(resource: BucketResource, name: str) -> AssetCheckEvaluation:
    """Evaluate one check."""
    (spec,) = [spec for definition in checks for spec in definition.check_specs if spec.name == name]
    return run_raw_checks(resource, AssetSelection.checks(spec.key))[name]


def failed(found: dict[str, AssetCheckEvaluation]) -> set[str]:
    return {name for name, item in found.items() if not item.passed}


def test_sound_tables_pass_every_check_and_need_no_description(sound: BucketResource) -> None:
    found = run_raw_checks(sound)

    assert set(found) == BLOCKING | WARNING
    assert failed(found) == set()
    assert {item.description for item in found.values()} == {None}
    assert found["rows_keep_to_the_schema"].metadata["rows"].value == 20
    assert found["rows_keep_to_the_schema"].metadata["rows_breaking_a_rule"].value == {}
    assert found["countries_are_as_new_as_their_files"].metadata["stale_countries"].value == 0
    for name in ("sources_spell_teams_alike", "every_file_can_be_read"):
        assert (found[name].metadata["found"].value, found[name].metadata["examples"].value) == (0, "None.")


def test_two_checks_block_and_the_others_warn(sound: BucketResource) -> None:
    found = run_raw_checks(sound)

    assert {name for name, item in found.items() if item.blocking} == BLOCKING
    assert {name for name, item in found.items() if item.severity is AssetCheckSeverity.WARN} == WARNING
    rejected = {name for name, item in found.items() if item.asset_key == AssetKey("raw_matches_rejected")}
    assert rejected == {"every_file_can_be_read", "few_records_are_rejected"}


def test_one_check_can_be_evaluated_alone(sound: BucketResource) -> None:
    key = AssetCheckKey(AssetKey("raw_matches_rejected"), "few_records_are_rejected")

    assert list(run_raw_checks(sound, AssetSelection.checks(key))) == ["few_records_are_rejected"]


def test_rows_that_break_the_schema_are_counted_by_rule(sound: BucketResource, bucket: Bucket) -> None:
    first = pl.int_range(pl.len()) < 3
    changed(bucket, away_team=pl.when(first).then("home_team").otherwise("away_team"))

    found = found_by(sound, "rows_keep_to_the_schema")

    assert (found.passed, found.severity) == (False, AssetCheckSeverity.ERROR)
    broken = found.metadata["rows_breaking_a_rule"].value
    assert isinstance(broken, dict)
    assert list(broken.values()) == [3]


def test_a_result_of_tomorrow_fails_and_neither_one_of_today_nor_a_fixture_does(
    sound: BucketResource, bucket: Bucket
) -> None:
    today = datetime.now(UTC).date()
    number = pl.int_range(pl.len())
    day = pl.when(number == 0).then(pl.lit(today)).when(number == 1).then(pl.date(2999, 1, 1))
    goals = {
        name: pl.when(number != 1).then(name)  # of the match of 2999
        for name in ("home_goals", "away_goals")
    }
    changed(bucket, kickoff_date=day.otherwise("kickoff_date"), **goals)
    assert found_by(sound, "no_played_match_lies_in_the_future").passed

    changed(bucket, kickoff_date=pl.when(number >= 2).then(pl.date(2999, 1, 1)).otherwise("kickoff_date"))
    found = found_by(sound, "no_played_match_lies_in_the_future")

    assert (found.passed, found.severity) == (False, AssetCheckSeverity.ERROR)
    assert found.metadata["matches"].value == 18
    examples = str(found.metadata["examples"].value).splitlines()
    assert len(examples) == 2 + PREVIEW_ROWS
    assert all("2999-01-01" in row for row in examples[2:])


def test_countries_older_than_their_files_are_named_in_order(sound: BucketResource, bucket: Bucket) -> None:
    put(bucket, "a/2014-15/fr.1.csv", csv_of(*a_season(date(2014, 8, 16), 1)))
    put(bucket, "a/2014-15/es.1.csv", csv_of(*a_season(date(2014, 8, 16), 1)))

    found = found_by(sound, "countries_are_as_new_as_their_files")

    assert (found.passed, found.severity) == (False, AssetCheckSeverity.WARN)
    assert found.description == "Materialize raw_matches for es, fr."
    assert found.metadata["stale_countries"].value == 2


def test_a_club_under_another_name_in_a_second_source_warns(sound: BucketResource, bucket: Bucket) -> None:
    rows = a_season(date(2014, 8, 16))
    put(
        bucket, "b/2014-15/eng.1.csv", csv_of(*(row.replace("Fulham", "Cottagers of Craven") for row in rows))
    )
    build(bucket, "eng")

    found = found_by(sound, "sources_spell_teams_alike")

    assert (found.passed, found.severity) == (False, AssetCheckSeverity.WARN)
    assert "clubs.csv" in str(found.description)
    assert found.metadata["found"].value == 1
    (pair,) = str(found.metadata["examples"].value).splitlines()[2:]
    assert pair == "| 2014-15 | eng.1 | Fulham | a |  | b | 8 |"


def test_files_that_cannot_be_read_and_files_without_a_place_are_counted_together(
    sound: BucketResource, bucket: Bucket
) -> None:
    put(bucket, "b/2014-15/eng.1.json", "<html>502 Bad Gateway</html>")
    put(bucket, "b/2014-15/README", "a stray that has a season is a rejected record of no country")
    put(bucket, "notes.txt", "x")
    build(bucket, "eng", NO_COUNTRY)

    found = found_by(sound, "every_file_can_be_read")

    assert (found.passed, found.severity) == (False, AssetCheckSeverity.WARN)
    assert found.description == "Files that cannot be read: 3. Land them again, or remove them."
    assert found.metadata["found"].value == 3
    assert {(reason.partition(":")[0], count) for reason, count in reasons_of(found)} == {
        ("raw/b/2014-15/eng.1.json", 1),
        ("raw/b/2014-15/README", 1),
        ("raw/notes.txt", 1),
    }


def land_season(bucket: Bucket, year: int, matches: int, broken: int) -> None:
    rows = [*a_season(date(year, 8, 16), matches), *["broken"] * broken]
    put(bucket, f"a/{year}-{(year + 1) % 100:02}/eng.1.csv", csv_of(*rows))
    build(bucket, "eng")


def test_one_rejected_record_of_twenty_passes_and_one_of_nineteen_warns(
    bucket: Bucket, resource: BucketResource
) -> None:
    land_season(bucket, 2014, matches=19, broken=1)
    assert found_by(resource, "few_records_are_rejected").passed
    land_season(bucket, 2013, matches=18, broken=1)

    found = found_by(resource, "few_records_are_rejected")

    assert (found.passed, found.severity) == (False, AssetCheckSeverity.WARN)
    assert found.description == "Rejected of 2013-14: 1 of 19 records."
    assert found.metadata["seasons_above"].value == 1
    ((reason, count),) = reasons_of(found)
    assert (reason.partition(":")[0], count) == ("raw/a/2013-14/eng.1.csv", 1)
    shares = str(found.metadata["by_season"].value).splitlines()[2:]
    assert [row.split(" | ")[:3] for row in shares] == [["| 2013-14", "19", "1"], ["| 2014-15", "20", "1"]]


def test_of_many_seasons_the_three_with_the_greatest_shares_are_described(
    bucket: Bucket, resource: BucketResource
) -> None:
    for year, broken in ((2012, 5), (2013, 3), (2014, 4)):
        land_season(bucket, year, matches=10, broken=broken)
    of_three = "2012-13: 5 of 15 records, 2014-15: 4 of 14 records, 2013-14: 3 of 13 records"
    assert found_by(resource, "few_records_are_rejected").description == f"Rejected of {of_three}."
    land_season(bucket, 2011, matches=10, broken=2)

    found = found_by(resource, "few_records_are_rejected")

    assert found.description == f"Rejected of {of_three}, …."
    assert found.metadata["seasons_above"].value == 4
    assert [count for _, count in reasons_of(found)] == [14]


def test_a_file_that_is_no_results_warns(bucket: Bucket, resource: BucketResource) -> None:
    put(bucket, "a/2014-15/eng.1.csv", csv_of("Sat Aug 16 2014,Fulham,2-1,?,Burnley"))
    put(bucket, "b/2014-15/eng.1.json", "<html>502 Bad Gateway</html>")
    result = materialize_countries(resource, "eng", "eng")
    assert result.success
    assert not check_results(result)["every_file_can_be_read"]
    assert read_table(bucket, "raw_matches").height == 1


def test_checks_find_what_is_wrong(bucket: Bucket, resource: BucketResource) -> None:
    home, away = "Sat Aug 18 2012,{},2-1,?,{}", "Sat Aug 25 2012,{1},0-0,?,{0}"
    for source, names in (("a", ("Fulham", "Burnley")), ("b", ("Fulham United", "Burnley City"))):
        rows = [row.format(*names) for row in (home, away)]
        put(bucket, f"{source}/2012-13/eng.1.csv", csv_of(*rows, "broken", "broken"))
    put(bucket, "a/2012-13/eng.2.json", "<html>502 Bad Gateway</html>")
    put(bucket, "a/2014-15/fr.1.csv", csv_of("Sat Aug 16 2014,Fulham,2-1,?,Burnley"))
    materialize_countries(resource, "fr", "fr")
    spoilt = read_table(bucket, "raw_matches").with_columns(
        kickoff_date=pl.date(2999, 1, 1), home_team=pl.lit("Fulham"), away_team=pl.lit("Fulham")
    )
    write_table(bucket, "raw_matches", spoilt, "fr")
    bucket.write("raw/a/2014-15/fr.1.csv", csv_of().encode())
    passed = check_results(materialize_countries(resource, "eng", "eng"))
    assert len(passed) == sum(len(list(definition.check_specs)) for definition in checks)
    assert not any(passed.values())


def test_a_broken_rule_stops_what_is_downstream(bucket: Bucket, resource: BucketResource) -> None:
    @asset(deps=["raw_matches"])
    def downstream() -> None:
        """An asset downstream of the matches."""

    put(bucket, "a/2014-15/fr.1.csv", csv_of("Sat Aug 16 2014,Fulham,2-1,?,Burnley"))
    materialize_countries(resource, "fr", "fr")
    spoilt = read_table(bucket, "raw_matches").with_columns(away_team=pl.lit("Fulham"))
    for country, table, reached in (("eng", spoilt, False), ("fr", None, True)):
        if table is not None:
            write_table(bucket, "raw_matches", table, "fr")
        result = materialize_countries(resource, country, country, [downstream])
        assert check_results(result)["rows_keep_to_the_schema"] is reached
        made = {event.asset_key for event in result.get_asset_materialization_events()}
        assert (AssetKey("downstream") in made) is reached
