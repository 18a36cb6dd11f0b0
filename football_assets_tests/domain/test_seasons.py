"""Season labels."""

from datetime import date

import pytest

from football_assets.domain.seasons import (
    current_seasons,
    parse_season,
    season_in_title,
    season_of,
    season_on,
    season_window,
)


@pytest.mark.parametrize(
    ("text", "season"),
    [
        ("2014-15", "2014-15"),
        ("2014-2015", "2014-15"),
        ("2014_15", "2014-15"),
        ("1999-00", "1999-00"),
        ("2014", "2014"),
        ("2014-16", None),
        ("2014-14", None),
        ("1014", None),
        ("1849", None),
        ("1850", "1850"),
        ("2200", "2200"),
        ("2201", None),
        ("england", None),
        ("14-15", None),
    ],
)
def test_a_folder_is_a_season_only_if_its_years_follow_each_other(text: str, season: str | None) -> None:
    assert parse_season(text) == season


@pytest.mark.parametrize(
    ("title", "season"),
    [
        ("English Premier League 2015/16", "2015-16"),
        ("Allsvenskan 2015", "2015"),
        ("Deutsche 2. Bundesliga", None),
        ("Cup of 2015/16 clubs", None),
    ],
)
def test_a_title_ends_with_its_season(title: str, season: str | None) -> None:
    assert season_in_title(title) == season


def test_a_split_season_ends_the_summer_after_and_a_calendar_season_early_the_next_year() -> None:
    assert season_window("2019-20") == (date(2019, 6, 1), date(2020, 9, 1))
    assert season_window("1999-00") == (date(1999, 6, 1), date(2000, 9, 1))
    assert season_window("2014") == (date(2014, 1, 1), date(2015, 3, 15))


@pytest.mark.parametrize(
    ("country", "day", "season"),
    [
        ("eng", date(2019, 6, 30), "2018-19"),
        ("eng", date(2019, 7, 1), "2019-20"),
        ("eng", date(2020, 8, 4), "2019-20"),  # the play-off final of the Championship
        ("eng", date(2020, 8, 29), "2020-21"),
        ("es", date(2020, 8, 23), "2019-20"),
        ("it", date(2020, 8, 2), "2019-20"),
        ("be", date(2020, 8, 8), "2020-21"),
        ("sco", date(2020, 8, 1), "2020-21"),  # 2019-20 was given up in March
        ("mx", date(2020, 7, 24), "2020-21"),
        ("fr", date(2020, 8, 21), "2020-21"),
        ("se", date(2020, 7, 1), "2020"),
        ("br", date(2021, 2, 25), "2020"),
        ("br", date(2021, 5, 29), "2021"),
        ("cn", date(2022, 1, 12), "2021"),
        ("ar", date(2020, 3, 9), "2019-20"),
        ("ar", date(2020, 10, 30), "2020"),
        ("ar", date(2021, 1, 17), "2020"),
        ("ar", date(2015, 3, 1), "2015"),
        ("ar", date(2013, 3, 1), "2012-13"),
        ("cl", date(2013, 6, 30), "2013"),
        ("cl", date(2016, 10, 1), "2016-17"),
        ("cl", date(2017, 7, 1), "2017"),
        ("cl", date(2021, 2, 15), "2020"),
        ("ve", date(2015, 12, 13), "2015-16"),
        ("ve", date(2016, 1, 29), "2016"),
        ("ec", date(2020, 12, 30), "2020"),
        ("kr", date(2021, 3, 1), "2021"),
        ("au", date(2022, 5, 28), "2021-22"),
        ("ma", date(2022, 6, 29), "2021-22"),
        ("za", date(2021, 8, 20), "2021-22"),
        ("ua", date(2019, 12, 31), "2019-20"),
    ],
)
def test_a_day_belongs_to_the_season_that_its_country_played(country: str, day: date, season: str) -> None:
    assert season_of(country, day) == season
    first, last = season_window(season)
    assert first <= day <= last


@pytest.mark.parametrize(
    ("today", "seasons"),
    [
        (date(2025, 1, 1), ["2024", "2024-25", "2025"]),
        (date(2025, 2, 28), ["2024", "2024-25", "2025"]),
        (date(2025, 3, 1), ["2024-25", "2025"]),
        (date(2025, 6, 30), ["2024-25", "2025"]),
        (date(2025, 7, 1), ["2024-25", "2025", "2025-26"]),
        (date(2025, 8, 31), ["2024-25", "2025", "2025-26"]),
        (date(2025, 9, 1), ["2025", "2025-26"]),
        (date(2025, 12, 31), ["2025", "2025-26"]),
        (date(1999, 12, 31), ["1999", "1999-00"]),
    ],
)
def test_the_season_before_is_current_for_two_months_after_its_end(today: date, seasons: list[str]) -> None:
    assert current_seasons(today) == seasons


@pytest.mark.parametrize(
    ("latest", "day", "season"),
    [
        ("2014-15", date(2015, 6, 30), "2014-15"),
        ("2014-15", date(2015, 7, 1), "2015-16"),
        ("2014-15", date(2000, 1, 1), "1999-00"),
        ("2014-15", date(2009, 12, 31), "2009-10"),
        ("2014", date(2015, 1, 1), "2015"),
        ("2014", date(2014, 12, 31), "2014"),
    ],
)
def test_the_season_of_a_day_follows_the_form_of_the_leagues_label(
    latest: str, day: date, season: str
) -> None:
    assert season_on(latest, day) == season
