"""One registry version in memory: everything that an answer may depend on, so that no answer mixes two versions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import orjson

from football_assets.domain.scorelines import Score, likeliest_scores, score_matrix
from football_assets.errors import FootballError, RegistryError, UnknownLeague
from football_assets.registry.predictor import OnnxForecaster, load_predictor
from football_assets.registry.store import Registry
from football_assets.sequences.custom_histories import CustomTeam, encode_custom
from football_assets.sequences.encoder import SequenceBatch
from football_assets.sequences.fixture_days import FixtureDays, next_match_day
from football_assets.sequences.state import Fixture, KnownFixture, TeamState
from football_assets.storage.model_files import METRICS, MODEL_CARD


class FixtureQuery(NamedTuple):
    """A match that a request asks about. `day` None: as `ServedModel.day_of` says."""

    request_id: str
    kind: str  # predict or batch
    league: str
    home_team: str
    away_team: str
    day: date | None = None


@dataclass(frozen=True, slots=True)
class GivenQuery:
    """A match between teams with given histories."""

    request_id: str
    league: str
    home: CustomTeam
    away: CustomTeam


class Answered(NamedTuple):
    """A forecast, and what the prediction log keeps of it. `scores`: [home goals, away goals]."""

    version: int
    league_id: str
    league_name: str
    day: date
    fixture: KnownFixture | None  # None for given histories
    probabilities: list[float]
    expected_goals: list[float]
    likeliest: list[Score]
    scores: np.ndarray
    context: np.ndarray
    unknown_opponents: tuple[str, ...] = ()


@dataclass(frozen=True)
class ServedModel:
    """A registry version, loaded and tried."""

    version: int
    published: datetime
    state: TeamState
    forecaster: OnnxForecaster
    metrics: Mapping[str, Any]
    card: str

    @classmethod
    def load(
        cls, registry: Registry, reference: int | str, scratch: Path, *, provider: str, threads: int
    ) -> "ServedModel":
        """Fetch a version from the registry and try it on a fixture.

        Parameters
        ----------
        reference
            Version or alias.
        scratch
            Folder that keeps the bundle.
        provider
            `auto`, `cpu` or `cuda`.
        threads
            Threads that one inference may use.

        Raises
        ------
        FootballError
            The bundle is missing, corrupt, or answers nonsense.
        """
        version = registry.resolve(reference)
        manifest = registry.manifest(version)
        try:
            bundle = registry.fetch(version, scratch)
            state = TeamState.load(bundle)
            model = cls(
                version=version,
                published=manifest.published,
                state=state,
                forecaster=load_predictor(bundle, threads, provider),
                metrics=orjson.loads((bundle / METRICS).read_bytes()),
                card=(bundle / MODEL_CARD).read_text(encoding="utf-8"),
            )
            model._try()
        except FootballError:
            raise
        except Exception as error:  # of the disk, or of a parser that our own files surprise
            reason = " ".join(str(error).split())[:200]
            raise RegistryError(
                f"Model version {version} cannot be served ({type(error).__name__}: {reason}): promote another version."
            ) from error
        return model

    @property
    def as_of(self) -> date:
        """Day of the last result that the model knows."""
        return self.state.as_of

    def forecast(
        self, queries: Sequence[FixtureQuery], listed: FixtureDays, today: date
    ) -> list[Answered | FootballError]:
        """Forecasts in the order of the queries; an error in the place of a fixture that cannot be forecast.

        Parameters
        ----------
        listed
            Days of fixtures asked for without one.
        today
            The day of fixtures that are not listed.
        """
        fixtures: list[Fixture] = []
        problems: dict[int, FootballError] = {}
        for position, (_, _, league, home_team, away_team, day) in enumerate(queries):
            if day is None:
                try:
                    day = self.day_of(queries[position], listed, today)
                except FootballError as error:
                    problems[position] = error
                    continue
            fixtures.append(Fixture(league, home_team, away_team, day))
        batch, located = self.state.encode_each(fixtures)
        known = [item for item in located if isinstance(item, KnownFixture)]
        forecasts = self._forecast(batch, known)
        if len(known) == len(queries):
            return [*forecasts]
        rest, found = iter(forecasts), iter(located)
        answers: list[Answered | FootballError] = []
        for position in range(len(queries)):
            item: KnownFixture | FootballError = problems.get(position) or next(found)
            answers.append(next(rest) if isinstance(item, KnownFixture) else item)
        return answers

    def forecast_given(self, query: GivenQuery, today: date) -> Answered:
        """The forecast of a match between given histories, played today or on the first day the model can forecast."""
        day = max(today, self.as_of + timedelta(days=1))
        given = encode_custom(self.state, query.league, day, query.home, query.away)
        answer = self._answer(given.batch, [(given.league_id, given.league_name, day, None)])[0]
        return answer._replace(unknown_opponents=given.unknown_opponents)

    def day_of(self, query: FixtureQuery, listed: FixtureDays, today: date) -> date:
        """The day of a match asked for without one, as `next_match_day` says.

        Raises
        ------
        UnknownLeague, UnknownTeam
            A name is not known.
        """
        names = (query.league, query.home_team, query.away_team)
        return next_match_day(self.state, listed, *names, today).day

    def unknown_field(self, query: FixtureQuery) -> str:
        """Which field of a query holds the name that is not known."""
        try:
            league_id = self.state.find_league(query.league)
        except UnknownLeague:
            return "league"
        return "home_team" if self.state.known_team(league_id, query.home_team) is None else "away_team"

    def _forecast(self, batch: SequenceBatch, fixtures: Sequence[KnownFixture]) -> list[Answered]:
        return self._answer(
            batch, [(item.league_id, item.league_name, item.kickoff_date, item) for item in fixtures]
        )

    def _answer(
        self, batch: SequenceBatch, places: Sequence[tuple[str, str, date, KnownFixture | None]]
    ) -> list[Answered]:
        probabilities, goals = self.forecaster.predict(batch.home_history, batch.away_history, batch.context)
        scores = score_matrix(goals[:, 0], goals[:, 1], probabilities)
        return [
            Answered(self.version, league_id, name, day, fixture, *forecast)
            for (league_id, name, day, fixture), *forecast in zip(
                places,
                probabilities.tolist(),
                goals.tolist(),
                likeliest_scores(scores),
                scores,
                batch.context,
                strict=True,
            )
        ]

    def _try(self) -> None:
        leagues = self.state.leagues()
        league = max(leagues, key=lambda item: item.teams)
        teams = self.state.teams(league=league.league_id, limit=2)
        day = max(self.as_of, datetime.now(UTC).date()) + timedelta(days=1)
        fixture = Fixture(league.league_id, teams[0].team, teams[1].team, day)
        answer = self._forecast(self.state.encode([fixture]), [self.state.locate(fixture)])[0]
        numbers = np.array([*answer.probabilities, *answer.expected_goals])
        if not np.isfinite(numbers).all() or abs(sum(answer.probabilities) - 1) > 1e-3:
            raise RegistryError(
                f"Model version {self.version} forecasts {numbers.tolist()}, which are no probabilities: promote "
                "another version."
            )
