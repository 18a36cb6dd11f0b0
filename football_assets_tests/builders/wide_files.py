"""Files with the columns of the Kaggle competition "Football Match Probability Prediction", built from matches."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

LENGTH = 10
HISTORY = (
    "match_date",
    "is_play_home",
    "is_cup",
    "goal",
    "opponent_goal",
    "rating",
    "opponent_rating",
    "coach",
    "league_id",
)
COLUMNS = [
    "id",
    "target",
    "home_team_name",
    "away_team_name",
    "match_date",
    "league_name",
    "league_id",
    "is_cup",
    "home_team_coach_id",
    "away_team_coach_id",
    *(
        f"{side}_team_history_{name}_{place}"
        for side in ("home", "away")
        for name in HISTORY
        for place in range(1, LENGTH + 1)
    ),
]


@dataclass(frozen=True)
class Played:
    """One match. `kickoff` is like 2020-02-01 15:00:00; `league` is a number of Sportmonks."""

    home: str
    away: str
    kickoff: str
    score: str
    league: int = 8
    league_name: str = "Premier League"

    @property
    def goals(self) -> tuple[int, int]:
        home, _, away = self.score.partition("-")
        return int(home), int(away)

    @property
    def outcome(self) -> str:
        home, away = self.goals
        return "home" if home > away else "away" if home < away else "draw"


def rows_of(
    matches: Iterable[Played], lines: Iterable[Played], *, with_ratings: bool = True
) -> list[dict[str, str]]:
    """The rows of `train.csv` for some of the matches, with histories of all of them; `id` is the place among all.

    A rating is 5 and what the team's last results were worth, so that two teams rarely have the same.
    """
    listed = set(lines)
    histories: dict[str, list[dict[str, str]]] = defaultdict(list)
    ratings: dict[str, float] = {}
    rows = []
    for number, match in enumerate(sorted(matches, key=lambda match: match.kickoff), start=1):
        teams = (match.home, match.away)
        before = [ratings.setdefault(team, 5 + len(ratings) / 1000) for team in teams]
        if match in listed:
            rows.append(_row(number, match, [histories[team] for team in teams]))
        for side, team in enumerate(teams):
            values: list[str | float] = [before[side], before[1 - side]] if with_ratings else ["", ""]
            entry: list[str | float] = [
                match.kickoff,
                float(side == 0),
                0.0,
                float(match.goals[side]),
                float(match.goals[1 - side]),
                *values,
                100.0,
                float(match.league),
            ]
            histories[team].insert(0, {name: str(value) for name, value in zip(HISTORY, entry, strict=True)})
            ratings[team] += 0.31 * (match.goals[side] - match.goals[1 - side]) + 0.017
    return rows


def _row(number: int, match: Played, histories: Sequence[Sequence[dict[str, str]]]) -> dict[str, str]:
    row = {
        "id": str(number),
        "target": match.outcome,
        "home_team_name": match.home,
        "away_team_name": match.away,
        "match_date": match.kickoff,
        "league_name": match.league_name,
        "league_id": str(match.league),
        "is_cup": "False",
        "home_team_coach_id": "1.0",
        "away_team_coach_id": "2.0",
    }
    for side, history in zip(("home", "away"), histories, strict=True):
        for place, entry in enumerate(history[:LENGTH], start=1):
            row |= {f"{side}_team_history_{name}_{place}": value for name, value in entry.items()}
    return row


def wide_csv(rows: Iterable[dict[str, str]], columns: Sequence[str] = COLUMNS) -> str:
    """A wide file; what a row lacks is empty."""
    quoted = ({name: f'"{cell}"' if "," in cell else cell for name, cell in row.items()} for row in rows)
    lines = [",".join(row.get(name, "") for name in columns) for row in quoted]
    return "\n".join([",".join(columns), *lines]) + "\n"


def scores_csv(rows: Iterable[dict[str, str]], scores: dict[str, str]) -> str:
    """`train_target_and_scores.csv`: the scores by id."""
    return (
        "\n".join(["id,score,target", *(f"{row['id']},{scores[row['id']]},{row['target']}" for row in rows)])
        + "\n"
    )


def all_scores(matches: Iterable[Played]) -> dict[str, str]:
    """The scores of matches by the id that `rows_of` gives them."""
    ordered = sorted(matches, key=lambda match: match.kickoff)
    return {str(number): match.score for number, match in enumerate(ordered, start=1)}


def season_of_pairs(teams: Sequence[str], *, kickoffs: Sequence[datetime], league: int = 8) -> list[Played]:
    """Every pair once at each ground, each round at one of the kick-offs, with scores that depend on both teams."""
    count = len(teams)
    order = list(range(count))
    rounds = []
    for _ in range(count - 1):
        rounds.append([(order[i], order[-1 - i]) for i in range(count // 2)])
        order = [order[0], order[-1], *order[1:-1]]
    matches = []
    for kickoff, pairs in zip(
        kickoffs, [*rounds, *([(b, a) for a, b in pairs] for pairs in rounds)], strict=True
    ):
        matches += [
            Played(teams[a], teams[b], str(kickoff), f"{(a * 3 + b) % 4}-{(b * 2 + a) % 3}", league)
            for a, b in pairs
        ]
    return matches
