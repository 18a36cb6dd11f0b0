"""The script that makes the sample, on small leagues."""

import itertools
import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from football_assets.errors import FootballError
from football_assets.sample.build import Listing, build, main, restore_visitors

TEAMS = [
    "Ayr",
    "Betis",
    "Celta",
    "Derby",
    "Eibar",
    "Fulham",
    "Getafe",
    "Hull",
    "Inter",
    "Jena",
    "Kiel",
    "Lens",
]


def calendar(teams: list[str]) -> tuple[Listing, ...]:
    """Everyone against everyone at home and away; the second half mirrors the first (the circle method)."""
    half = len(teams) - 1
    circle = list(teams)
    listings = []
    for number in range(half):
        pairs = [(circle[i], circle[-1 - i]) for i in range(len(teams) // 2)]
        pairs = [pair if (number + i) % 2 else pair[::-1] for i, pair in enumerate(pairs)]
        for at, (home, away) in itertools.product((number, number + half), pairs):
            sides = (home, away) if at == number else (away, home)
            listings.append(Listing(at, f"Jornada {at + 1}", "2013-08-17", *sides, score=(1, 0)))
        circle.insert(1, circle.pop())
    return tuple(sorted(listings, key=lambda listing: listing.round))


def spoil(listings: tuple[Listing, ...], misread: dict[str, str]) -> tuple[Listing, ...]:
    return tuple(replace(listing, away=misread.get(listing.home, listing.away)) for listing in listings)


@pytest.mark.parametrize(
    "misread",
    [
        {},
        {"Betis": "Celta"},
        {"Betis": "Celta", "Derby": "Ayr"},
        {"Betis": "Celta", "Derby": "Celta"},
        {"Ayr": "Betis", "Betis": "Ayr"},
    ],
)
def test_lost_visitors_are_found_again(misread: dict[str, str]) -> None:
    listings = calendar(TEAMS)
    assert restore_visitors(spoil(listings, misread)) == listings


def test_an_unclear_visitor_stops_the_script() -> None:
    listings = [listing for listing in spoil(calendar(TEAMS), {"Betis": "Celta"}) if listing.home != "Ayr"]
    with pytest.raises(FootballError, match="correct it by hand"):
        restore_visitors(tuple(listings))


def package(folder: Path) -> Path:
    def side(name: str) -> dict[str, str]:
        return {"key": name.lower(), "name": name, "code": name[:3].upper()}

    matches = [
        {"date": "2015-08-08", "team1": side("Málaga"), "team2": side("Betis"), "score1": 1, "score2": 0},
        {
            "date": "2016-03-08",
            "team1": side("Betis"),
            "team2": side("Málaga"),
            "score1": None,
            "score2": None,
        },
    ]
    rounds = [{"name": f"Jornada {n}", "matches": [match]} for n, match in enumerate(matches, start=1)]
    season = folder / "2015-16"
    season.mkdir(parents=True)
    files = {
        "en.1.json": {"name": "Primera 2015/16", "rounds": rounds},
        "en.2.json": {"name": "Segunda 2015/16", "rounds": []},
        "en.1.clubs.json": {"name": "Primera 2015/16", "clubs": []},
    }
    for name, document in files.items():
        (season / name).write_text(json.dumps(document), encoding="utf-8")
    return folder


def test_leagues_with_matches_are_written_in_the_newer_shape(tmp_path: Path) -> None:
    (built,) = build(package(tmp_path / "package"), tmp_path / "sample")
    assert (built.played, built.unplayed, built.repaired) == (1, 1, 0)
    assert built.path == tmp_path / "sample" / "2015-16" / "eng.1.json"
    assert built.path.read_text(encoding="utf-8") == (
        '{"name":"Primera 2015/16","matches":[\n'
        '{"round":"Jornada 1","date":"2015-08-08","team1":"Málaga","team2":"Betis","score":{"ft":[1,0]}},\n'
        '{"round":"Jornada 2","date":"2016-03-08","team1":"Betis","team2":"Málaga"}\n'
        "]}\n"
    )


def test_the_command_reports_what_it_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["build", str(package(tmp_path / "package")), str(tmp_path / "sample")])
    main()
    assert capsys.readouterr().out.splitlines()[-1] == "1 files: 1 played, 1 unplayed, 0 visitors repaired"
