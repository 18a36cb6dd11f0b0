"""Which files are asked for."""

from datetime import date

import pytest

from football_assets.domain.leagues import league_of
from football_assets.errors import FootballError, UnknownLeague
from football_assets.raw.landing import LandingObject, parse_object_name
from football_assets.raw.sync.sources import SOURCES, files_to_fetch, source_named
from football_assets.settings import Settings
from football_assets_tests.raw.landing.test_objects import info

TODAY = date(2025, 11, 23)


@pytest.mark.parametrize(
    ("name", "season", "league", "url", "object_name"),
    [
        (
            "openfootball",
            "2025-26",
            "eng.1",
            "https://raw.githubusercontent.com/openfootball/football.json/master/2025-26/en.1.json",
            "raw/openfootball/2025-26/eng.1.json",
        ),
        (
            "openfootball",
            "2025",
            "us.1",
            "https://raw.githubusercontent.com/openfootball/football.json/master/2025/mls.json",
            "raw/openfootball/2025/us.1.json",
        ),
        (
            "footballcsv",
            "2021",
            "se.1",
            "https://raw.githubusercontent.com/footballcsv/cache.footballdata/master/2021/se.1.csv",
            "raw/footballcsv/2021/se.1.csv",
        ),
        (
            "football-data",
            "2025/26",
            "E0",
            "https://www.football-data.co.uk/mmz4281/2526/E0.csv",
            "raw/football-data/2025-26/eng.1.csv",
        ),
        (
            "football-data",
            "1999-00",
            "sco.4",
            "https://www.football-data.co.uk/mmz4281/9900/SC3.csv",
            "raw/football-data/1999-00/sco.4.csv",
        ),
        (
            "football-data-extra",
            "2025",
            "se.1",
            "https://www.football-data.co.uk/new/SWE.csv",
            "raw/football-data-extra/2025/se.1.csv",
        ),
        (
            "football-data-extra",
            "2025-26",
            "ch.1",
            "https://www.football-data.co.uk/new/SWZ.csv",
            "raw/football-data-extra/2025-26/ch.1.csv",
        ),
    ],
)
def test_a_season_and_a_league_are_one_file_with_an_address_and_a_place(
    name: str, season: str, league: str, url: str, object_name: str
) -> None:
    source = SOURCES[name]
    (file,) = files_to_fetch(source, source.base_url(Settings()), TODAY, [season], [league])
    assert (file.url, file.object_name) == (url, object_name)


@pytest.mark.parametrize("name", SOURCES)
def test_every_file_has_a_place_of_its_own_as_a_landing_object(name: str) -> None:
    files = files_to_fetch(SOURCES[name], "http://x", TODAY)
    for file in files:
        placed = parse_object_name(info(file.object_name))
        assert isinstance(placed, LandingObject)
        assert (placed.source, placed.season, placed.league) == (name, file.season, league_of(file.league_id))
    assert len({file.object_name for file in files}) == len(files)
    assert len({file.url for file in files if not file.spans_seasons}) in (0, len(files))


def test_without_a_season_those_being_played_are_asked_for() -> None:
    source = source_named("openfootball")
    assert {file.season for file in files_to_fetch(source, "http://x", TODAY)} == {"2025", "2025-26"}
    only_england = files_to_fetch(source, "http://x", date(2026, 8, 1), leagues=["en.1", "eng.2"])
    assert [file.url for file in only_england] == [
        "http://x/2025-26/en.1.json",
        "http://x/2025-26/en.2.json",
        "http://x/2026-27/en.1.json",
        "http://x/2026-27/en.2.json",
    ]


def test_a_season_named_twice_is_asked_for_once() -> None:
    files = files_to_fetch(SOURCES["football-data"], "http://x", TODAY, ["2024-25", "2024/25"], ["eng.1"])
    assert [file.url for file in files] == ["http://x/2425/E0.csv"]


@pytest.mark.parametrize(
    ("seasons", "leagues", "message"),
    [
        (["next"], [], "'next' is not a season: write it like 2025-26"),
        ([], ["pl.1"], "football-data has no pl.1. Its leagues are: be.1, de.1"),
        (["2025"], [], "none of these leagues in 2025: they may have seasons like 2025-26"),
    ],
)
def test_what_a_source_does_not_have_is_refused_before_it_is_asked(
    seasons: list[str], leagues: list[str], message: str
) -> None:
    with pytest.raises(FootballError, match=message):
        files_to_fetch(SOURCES["football-data"], "http://x", TODAY, seasons, leagues)


def test_names_that_are_nothing_are_refused() -> None:
    with pytest.raises(FootballError, match="no source 'fifa'. The sources are: openfootball, footballcsv"):
        source_named("fifa")
    with pytest.raises(UnknownLeague):
        files_to_fetch(SOURCES["openfootball"], "http://x", TODAY, leagues=["premier"])


def test_a_mirror_stands_in_for_a_source(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOOTBALL_FOOTBALL_DATA_URL", "http://mirror.example/data/")
    assert SOURCES["football-data"].base_url(Settings()) == "http://mirror.example/data"
