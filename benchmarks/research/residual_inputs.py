"""Summaries of past matches that the network does not read: what each would add to its forecasts.

    python -m benchmarks.research.residual_inputs --raw FOOTBALL_DATA --raw FOOTBALLCSV --work ablations_home

A summary is a number for each side, as of the day before the match. Its weight is fitted on top of the network's logits
in all seasons but one and applied to that season, so a summary that holds nothing new comes out at 0 or below. The
forecasts are those of the default in `ablations.py`, with the same cache.
"""

import argparse
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray
from rich.console import Console
from scipy.optimize import minimize
from scipy.special import log_softmax

from benchmarks.research.ablation_types import DEFAULT, LOGITS
from benchmarks.research.ablations import Study, trained_ablation
from benchmarks.research.comparison import make_tensors, markdown
from football_assets.domain.block_bootstrap import interval_text, league_weeks, paired_differences
from football_assets.sequences.tensors import SequenceTensors, open_tensors

SEASONS = (2016, 2018)
A_YEAR = 365  # days in which two teams' opponents count as common
OLDER = 10  # matches that the network's histories have
SHRINKAGE = 4  # matches of no information in each mean

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Played:
    """A played match from one team's side. NaN: odds of the match, or ratings before it, are not known."""

    day: date
    opponent: str
    goals: float  # goal difference
    implied: float  # log(own / opponent's goals) by the odds
    moved: float  # `implied` minus the same by the ratings before the match
    surprise: float  # goal difference minus that of the odds


@dataclass
class Team:
    """What is remembered of a team."""

    recent: deque[Played] = field(default_factory=lambda: deque(maxlen=60))
    home: deque[Played] = field(default_factory=lambda: deque(maxlen=30))
    away: deque[Played] = field(default_factory=lambda: deque(maxlen=30))
    against: dict[str, deque[Played]] = field(default_factory=lambda: defaultdict(lambda: deque(maxlen=6)))

    def add(self, match: Played, is_home: bool) -> None:
        self.recent.append(match)
        (self.home if is_home else self.away).append(match)
        self.against[match.opponent].append(match)


Summary = Callable[[Team, Team, str, date], float]
Figure = Callable[[Played], float]


def shrunken_mean(values: Iterable[float]) -> float:
    """Mean of the known values and `SHRINKAGE` zeros."""
    known = [value for value in values if not np.isnan(value)]
    return sum(known) / (len(known) + SHRINKAGE)


def common_opponents(figure: Figure) -> Summary:
    """Home minus away team's mean figure against the opponents that both played in the last year."""

    def summary(home: Team, away: Team, _: str, day: date) -> float:
        def by_opponent(team: Team) -> dict[str, list[float]]:
            found: dict[str, list[float]] = defaultdict(list)
            for match in team.recent:
                value = figure(match)
                if (day - match.day).days <= A_YEAR and not np.isnan(value):
                    found[match.opponent].append(value)
            return found

        own, other = by_opponent(home), by_opponent(away)
        return shrunken_mean(
            float(np.mean(own[name]) - np.mean(other[name])) for name in own.keys() & other.keys()
        )

    return summary


def own_venue(figure: Figure) -> Summary:
    """Figures of the home team's home matches minus those of the away team's away matches."""
    return lambda home, away, _, __: (
        shrunken_mean(map(figure, home.home)) - shrunken_mean(map(figure, away.away))
    )


def older_matches(figure: Figure) -> Summary:
    """Figures of the matches before those of the network's histories, of the home minus the away team."""
    return lambda home, away, _, __: (
        shrunken_mean(map(figure, list(home.recent)[:-OLDER]))
        - shrunken_mean(map(figure, list(away.recent)[:-OLDER]))
    )


def last_match(figure: Figure) -> Summary:
    """The figure of each team's last match, of the home minus the away team."""
    return lambda home, away, _, __: (
        shrunken_mean(map(figure, list(home.recent)[-1:]))
        - shrunken_mean(map(figure, list(away.recent)[-1:]))
    )


def earlier_meetings(figure: Figure) -> Summary:
    """The home team's figures in the last meetings of both teams."""
    return lambda home, _, opponent, __: shrunken_mean(map(figure, home.against.get(opponent, ())))


def _implied(match: Played) -> float:
    return match.implied


def _goals(match: Played) -> float:
    return match.goals


def _moved(match: Played) -> float:
    return match.moved


def _surprise(match: Played) -> float:
    return match.surprise


SUMMARIES: dict[str, Summary] = {
    "common opponents of the last year: supremacy by the odds": common_opponents(_implied),
    "common opponents of the last year: goal difference": common_opponents(_goals),
    "common opponents of the last year: odds against ratings": common_opponents(_moved),
    "home team at home, away team away: odds against ratings": own_venue(_moved),
    "home team at home, away team away: goals against odds": own_venue(_surprise),
    "matches before the last ten: odds against ratings": older_matches(_moved),
    "matches before the last ten: goals against odds": older_matches(_surprise),
    "last match: odds against ratings": last_match(_moved),
    "last match: goals against odds": last_match(_surprise),
    "earlier meetings: odds against ratings": earlier_meetings(_moved),
    "earlier meetings: goals against odds": earlier_meetings(_surprise),
}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--raw", type=Path, action="append", default=[], help="folder of results; repeatable")
    parser.add_argument("--tensors", type=Path, help="instead of --raw: sequence_tensors that a run has made")
    parser.add_argument("--work", type=Path, default=Path("ablations_home"), help="folder of cached results")
    arguments = parser.parse_args()
    if bool(arguments.raw) == bool(arguments.tensors):
        parser.error("give either --raw or --tensors")
    folder = arguments.tensors or make_tensors(arguments.work, arguments.raw)
    tensors = open_tensors(folder)
    study = Study(tensors, folder, arguments.work, trained_ablation(DEFAULT))
    seasons = [study.result(DEFAULT, year).season for year in SEASONS]
    table = residual_table(seasons, summaries_of(tensors))
    Console(highlight=False, soft_wrap=True, markup=False).print(table)


def summaries_of(tensors: SequenceTensors) -> pl.DataFrame:
    """Compute every summary of every match from matches of earlier days: `match_id` and a column for each."""
    rating = tensors.context[:, tensors.spec.context_names.index("odds_supremacy")].astype(float)
    market = tensors.market.astype(float)
    with np.errstate(invalid="ignore"):
        implied, expected = np.log(market[:, 3] / market[:, 4]), market[:, 3] - market[:, 4]
    goals, played = tensors.goals.astype(float), tensors.played
    keys = tensors.keys.select("kickoff_date", "home_team_id", "away_team_id")
    teams: defaultdict[str, Team] = defaultdict(Team)
    found = np.zeros((len(tensors), len(SUMMARIES)))
    today: list[int] = []
    rows = list(keys.iter_rows())

    def learn() -> None:
        for row in today:
            day, home, away = rows[row]
            difference = goals[row, 0] - goals[row, 1]
            figures = (difference, implied[row], implied[row] - rating[row], difference - expected[row])
            teams[home].add(Played(day, away, *figures), True)
            teams[away].add(Played(day, home, *(-value for value in figures)), False)
        today.clear()

    for row, (day, home, away) in enumerate(rows):
        if today and rows[today[0]][0] != day:
            learn()
        found[row] = [summary(teams[home], teams[away], away, day) for summary in SUMMARIES.values()]
        if played[row]:
            today.append(row)
    columns = {name: found[:, i] for i, name in enumerate(SUMMARIES)}
    return tensors.keys.select("match_id").with_columns(pl.Series(name, v) for name, v in columns.items())


def residual_table(seasons: list[pl.DataFrame], summaries: pl.DataFrame) -> str:
    """Compare the network with itself plus each summary, and all of them, on seasons that fitted no weight."""
    parts = [season.join(summaries, on="match_id", how="left", maintain_order="left") for season in seasons]
    names = list(SUMMARIES)
    variants = {"no summary": [], **{name: [name] for name in names}, "all of them": names}
    forecasts = {
        text: np.concatenate([_held_out(parts, held, columns) for held in range(len(parts))])
        for text, columns in variants.items()
    }
    matches = pl.concat(parts)
    differences = paired_differences(
        forecasts,
        "no summary",
        matches["outcome"].to_numpy(),
        league_weeks(matches["league_id"], matches["date"]),
    )
    weights = {text: _fit(matches, columns)[3:] for text, columns in variants.items()}
    rows = [
        [
            text,
            interval_text(differences[text]["log_loss"]),
            f"{weights[text][0]:+.3f}" if len(columns) == 1 else "",
        ]
        for text, columns in variants.items()
        if columns
    ]
    return f"{len(matches):,} matches.\n\n" + markdown(
        ["summary", "log loss − no summary, thousandths", "weight"], rows
    )


def _held_out(parts: list[pl.DataFrame], held: int, columns: list[str]) -> Values:
    others = pl.concat(part for i, part in enumerate(parts) if i != held)
    return np.exp(_log_probabilities(_fit(others, columns), parts[held], columns))


def _fit(matches: pl.DataFrame, columns: list[str]) -> Values:
    """Fit a scale, two shifts of the logits and the weight of each column: `[3 + columns]`."""
    outcome = matches["outcome"].to_numpy()

    def loss(weights: Values) -> float:
        return -float(_log_probabilities(weights, matches, columns)[np.arange(len(outcome)), outcome].mean())

    return minimize(loss, np.array([1.0, 0.0, 0.0, *(0.0 for _ in columns)]), method="BFGS").x


def _log_probabilities(weights: Values, matches: pl.DataFrame, columns: list[str]) -> Values:
    scale, home, away = weights[:3]
    logits = matches.select(LOGITS).to_numpy() * scale + np.array([home, 0.0, away])
    added = matches.select(columns).to_numpy() @ weights[3:] if columns else np.zeros(len(matches))
    return log_softmax(logits + added[:, None] * np.array([0.5, 0.0, -0.5]), axis=1)


if __name__ == "__main__":
    main()
