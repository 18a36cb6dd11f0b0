"""Season labels."""

from datetime import date

import pytest

from football_assets.raw.seasons import parse_season, season_in_title, season_window


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
    assert season_window("2019-20") == (date(2019, 5, 1), date(2020, 9, 1))
    assert season_window("1999-00") == (date(1999, 5, 1), date(2000, 9, 1))
    assert season_window("2014") == (date(2014, 1, 1), date(2015, 3, 15))
