"""Which fetched files may replace a landed one."""

from datetime import date

import pytest

from football_assets.raw.sync.acceptance import FetchedFileRejected, check_fetched_file
from football_assets.raw.sync.fetching import Content, Validators
from football_assets.raw.sync.sources import RemoteFile
from football_assets_tests.builders.landings import csv_of, json_of, listed

TODAY = date(2014, 12, 1)
CSV = RemoteFile("2014-15", "eng.1", "http://a/eng.1.csv", "raw/footballcsv/2014-15/eng.1.csv")
JSON = RemoteFile("2014-15", "eng.1", "http://a/en.1.json", "raw/openfootball/2014-15/eng.1.json")
TEAMS = ["Leeds", "Hull", "Derby", "Stoke"]
ROWS = [f"2014-08-{day},{TEAMS[day % 4]},2-1,?,{TEAMS[(day + 1) % 4]}" for day in range(10, 22)]


def content(text: str, *, is_delimited: bool = True) -> Content:
    return Content(text.encode(), Validators(), is_delimited)


def check(text: str, landed: str | None = None, *, file: RemoteFile = CSV, is_delimited: bool = True) -> int:
    before = None if landed is None else landed.encode()
    return check_fetched_file(content(text, is_delimited=is_delimited), file, before, TODAY)


def test_a_sound_file_is_accepted_with_its_number_of_matches() -> None:
    assert check(csv_of(*ROWS)) == 12
    assert check(json_of(listed("2014-08-16", "Leeds", "Hull", "2-1")), file=JSON) == 1


def test_a_season_without_matches_yet_is_no_error() -> None:
    assert check(csv_of()) == 0
    assert check(json_of(), file=JSON) == 0


def test_a_file_in_another_format_than_its_object_is_rejected() -> None:
    with pytest.raises(FetchedFileRejected, match="^The file is JSON, not CSV.$"):
        check(json_of(listed("2014-08-16", "Leeds", "Hull", "2-1")))
    with pytest.raises(FetchedFileRejected, match="HTML page"):
        check("<!DOCTYPE html><html></html>")


def test_a_file_with_more_rejected_records_than_matches_is_rejected() -> None:
    of_another_season = [f"2013-08-{day},Leeds,2-1,?,Hull" for day in range(10, 13)]
    with pytest.raises(
        FetchedFileRejected, match="3 of its 5 records are rejected. The first is line 4: The date 2013"
    ):
        check(csv_of(*ROWS[:2], *of_another_season))


def test_a_file_with_the_clubs_of_another_country_is_rejected() -> None:
    clubs = ["Schalke", "Hamburg", "Mainz", "Hertha", "Bochum", "Augsburg"]
    rows = [f"2014-08-{day},{clubs[day % 6]},2-1,?,{clubs[(day + 1) % 6]}" for day in range(10, 22)]
    with pytest.raises(
        FetchedFileRejected, match="^Its clubs are those of Germany, but its name is of another"
    ):
        check(csv_of(*rows))


def test_a_file_of_far_fewer_matches_than_the_landed_object_is_rejected() -> None:
    assert check(csv_of(*ROWS[:7]), landed=csv_of(*ROWS)) == 7
    with pytest.raises(
        FetchedFileRejected, match="The file has 6 matches, the landed object 12: if that is right"
    ):
        check(csv_of(*ROWS[:6]), landed=csv_of(*ROWS))


def test_a_last_line_without_an_end_is_accepted_only_if_it_can_be_whole() -> None:
    whole = csv_of(*ROWS).removesuffix("\n")
    assert check(whole) == 12
    assert check(csv_of().removesuffix("\n")) == 0
    with pytest.raises(FetchedFileRejected, match="is truncated: its last line is"):
        check(whole, is_delimited=False)
    for cut in (whole.removesuffix(",Derby"), whole[:-2]):  # a field, a name
        with pytest.raises(FetchedFileRejected, match="is truncated: its last line is"):
            check(cut)
