"""Small football countries for the tests of features: simulated leagues with promotion, a cup and unplayed fixtures."""

import random
from dataclasses import dataclass, replace
from datetime import date, timedelta

import polars as pl

RAW_SCHEMA = {
    "match_id": pl.String,
    "league_id": pl.String,
    "season": pl.String,
    "kickoff_date": pl.Date,
    "kickoff_time": pl.Time,
    "home_team": pl.String,
    "away_team": pl.String,
    "home_goals": pl.Int16,
    "away_goals": pl.Int16,
    "round": pl.String,
    "is_cup": pl.Boolean,
    "odds_home": pl.Float64,
    "odds_draw": pl.Float64,
    "odds_away": pl.Float64,
    "source": pl.String,
    "source_object": pl.String,
    "source_version": pl.String,
}


@dataclass(frozen=True)
class Match:
    """One match of a world; a score of None is a fixture."""

    number: int
    league: str  # tier or cup, without the country
    season: str
    day: date
    home: str
    away: str
    score: tuple[int, int] | None

    def match_id(self, country: str) -> str:
        return f"{country}-{self.number:04}"


def raw_matches(country: str, matches: list[Match]) -> pl.DataFrame:
    """The matches as `raw_matches` of a country."""
    rows = [
        {
            "match_id": match.match_id(country),
            "league_id": f"{country}.{match.league}",
            "season": match.season,
            "kickoff_date": match.day,
            "home_team": match.home,
            "away_team": match.away,
            "home_goals": match.score[0] if match.score else None,
            "away_goals": match.score[1] if match.score else None,
            "is_cup": match.league == "cup",
            "source": "test",
            "source_object": "raw/test.csv",
            "source_version": "1",
        }
        for match in matches
    ]
    return pl.DataFrame(rows, schema=RAW_SCHEMA)


def simulated_country(seed: int = 7) -> list[Match]:
    """Two seasons of two tiers and a cup: a team is promoted, one relegated, one new; the last rounds are fixtures."""
    rng = random.Random(seed)
    first = {
        "1": ["Ash", "Birch", "Cedar", "Elm", "Fir", "Gorse"],
        "2": ["Hazel", "Iris", "Juniper", "Kale", "Lime"],
    }
    second = {
        "1": ["Ash", "Birch", "Cedar", "Elm", "Fir", "Hazel"],
        "2": ["Gorse", "Iris", "Juniper", "Kale", "Moss"],
    }
    matches: list[Match] = []
    for season, start, tiers in (("2021-22", date(2021, 8, 7), first), ("2022-23", date(2022, 8, 6), second)):
        for tier, teams in tiers.items():
            for week, pairs in enumerate(_double_round_robin(teams)):
                for number, (home, away) in enumerate(pairs):
                    day = start + timedelta(days=7 * week + number % 2)
                    unplayed = season == "2022-23" and week >= 8
                    score = (
                        None if unplayed else (rng.choice((0, 0, 1, 1, 2, 3)), rng.choice((0, 0, 1, 1, 2)))
                    )
                    matches.append(Match(len(matches), tier, season, day, home, away, score))
        for week, (home, away) in enumerate((("Ash", "Kale"), ("Nettle", "Birch"), ("Cedar", "Ash"))):
            day = start + timedelta(days=21 * week + 10)
            matches.append(Match(len(matches), "cup", season, day, home, away, (rng.choice((0, 1, 2)), 1)))
    return matches


def rewritten_from(matches: list[Match], day: date, seed: int = 1) -> list[Match]:
    """The same world until `day`; from that day on results are changed, withdrawn, deleted and added."""
    rng = random.Random(seed)
    rewritten = []
    for match in matches:
        if match.day < day:
            rewritten.append(match)
            continue
        fate = rng.choice(("changed", "withdrawn", "deleted", "kept"))
        if fate == "changed":
            rewritten.append(replace(match, score=(rng.randrange(9), rng.randrange(9))))
        elif fate == "withdrawn":
            rewritten.append(replace(match, score=None))
        elif fate == "kept":
            rewritten.append(match)
    for number, (home, away) in enumerate((("Oak", "Pine"), ("Quince", "Rowan"))):
        rewritten.append(
            Match(9000 + number, "1", "2022-23", day + timedelta(days=number), home, away, (7, 0))
        )
    rewritten.append(Match(9002, "3", "2022-23", day, "Sorrel", "Thyme", (1, 1)))
    return rewritten


def _double_round_robin(teams: list[str]) -> list[list[tuple[str, str]]]:
    ring: list[str | None] = [*teams, None] if len(teams) % 2 else list(teams)
    half = len(ring) // 2
    rounds = []
    for turn in range(len(ring) - 1):
        pairs = [(ring[i], ring[-1 - i]) for i in range(half)]
        swapped = [(away, home) if turn % 2 else (home, away) for home, away in pairs]
        rounds.append([(home, away) for home, away in swapped if home is not None and away is not None])
        ring = [ring[0], ring[-1], *ring[1:-1]]
    return rounds + [[(away, home) for home, away in pairs] for pairs in rounds]
