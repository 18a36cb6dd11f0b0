"""Seasons of folders that are named with four digits."""

from pathlib import Path

import pytest

from football_assets.errors import LandingError
from football_assets.raw.formats.csv_table import read_csv_table
from football_assets.raw.landing import land
from football_assets.raw.landing.year_folders import is_short_season, season_of_year_folder
from football_assets.storage.bucket import Bucket
from football_assets_tests.builders.landings import TODAY, csv_of

MAIN = "Div,Date,HomeTeam,AwayTeam,FTHG,FTAG"


@pytest.mark.parametrize(
    ("folder", "is_short"), [("1516", True), ("9900", True), ("2021", True), ("2015", False), ("151", False)]
)
def test_football_datas_folders_have_two_years_of_two_digits(folder: str, is_short: bool) -> None:
    assert is_short_season(folder) is is_short


@pytest.mark.parametrize(
    ("folder", "league_id", "days", "season"),
    [
        ("1516", "eng.1", ["2015-08-08", "2016-05-15"], "2015-16"),
        ("9900", "eng.1", ["1999-08-08", "2000-05-15"], "1999-00"),
        ("2021", "eng.1", ["2020-09-12", "2021-05-23"], "2020-21"),
        ("2021", "eng.1", ["2021-01-12", "2021-05-23"], "2020-21"),
        ("2021", "eng.1", ["2021-08-14", "2022-05-22"], "2021-22"),
        ("2015", "es.1", ["2015-08-22", "2016-05-15"], "2015-16"),
        ("2016", "es.1", ["2015-08-22", "2016-05-15"], "2015-16"),
        ("2015", "es.1", ["2015-08-22"], "2015-16"),
        ("2015", "es.1", ["2015-01-03", "2015-05-15"], None),  # may be of a calendar year
        ("2010", "ru.1", ["2010-03-12", "2010-11-28"], None),
        ("2015", "br.1", ["2015-08-08", "2015-12-06"], None),
        ("2015", "is.1", ["2015-08-08", "2015-09-20"], None),
        ("2014", "es.1", ["2015-08-22", "2016-05-15"], None),
        ("1415", "es.1", ["2015-08-22", "2016-05-15"], None),
        ("2015-16", "es.1", ["2015-08-22", "2016-05-15"], None),
        ("2015", "es.1", ["never"], None),
    ],
)
def test_the_days_decide_which_season_a_folder_of_four_digits_means(
    folder: str, league_id: str, days: list[str], season: str | None
) -> None:
    table = read_csv_table(csv_of(*(f"{day},A,2-1,?,B" for day in days)).encode())
    assert season_of_year_folder(folder, table, league_id) == season


def test_one_wrong_date_changes_no_season() -> None:
    days = [f"2015-{month:02}-{day:02}" for month in (8, 9, 10) for day in range(10, 20)]
    table = read_csv_table(csv_of(*(f"{day},A,2-1,?,B" for day in ["2051-01-01", *days])).encode())
    assert season_of_year_folder("1516", table, "eng.1") == "2015-16"


@pytest.mark.parametrize("name", ["E0.csv", "results.csv"])
@pytest.mark.parametrize(("folder", "year"), [("1516", 2015), ("2021", 2020), ("2015", 2015)])
def test_a_mirror_of_football_data_lands_in_the_seasons_of_its_matches(
    bucket: Bucket, tmp_path: Path, name: str, folder: str, year: int
) -> None:
    file = tmp_path / "mmz4281" / folder / name
    file.parent.mkdir(parents=True)
    rows = (
        f"E0,12/09/{year},Leeds,Hull,2,1",
        f"E0,12/02/{year + 1},Hull,Leeds,2,1",
        f"E0,15/05/{year + 1},Bury,York,1,1",
    )
    file.write_text(csv_of(*rows, header=MAIN))
    result = land(bucket, [tmp_path], TODAY.replace(year=2026))
    assert result.objects == [f"raw/mmz4281/{year}-{(year + 1) % 100}/eng.1.csv"]
    assert [(item.summary.results, item.summary.rejected) for item in result.landed] == [(3, 0)]


def test_a_plain_file_of_footballcsv_in_a_folder_of_its_first_year_lands_in_that_season(
    bucket: Bucket, tmp_path: Path
) -> None:
    file = tmp_path / "x" / "2014" / "eng.1.csv"
    file.parent.mkdir(parents=True)
    file.write_text(csv_of("Sat Aug 16 2014,Leeds,2-1,1-0,Hull", "Sun May 24 2015,Hull,2-1,1-0,Leeds"))
    assert land(bucket, [tmp_path], TODAY).objects == ["raw/x/2014-15/eng.1.csv"]


def test_a_short_folder_of_other_matches_is_no_season(bucket: Bucket, tmp_path: Path) -> None:
    file = tmp_path / "x" / "1314" / "eng.1.csv"
    file.parent.mkdir(parents=True)
    file.write_text(csv_of("Sat Aug 16 2014,Leeds,2-1,1-0,Hull"))
    with pytest.raises(LandingError, match="put it into a folder named after the season"):
        land(bucket, [tmp_path], TODAY)
