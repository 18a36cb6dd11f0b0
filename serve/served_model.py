"""One registry version in memory. An answer depends on one such object, so no answer mixes two model versions.

A fixture changes shape three times here, its names being resolved once: `FixtureRequest` (names as the caller wrote
them) -> `KnownFixture` (identifiers, day and season) -> `MatchForecast` (the network's outputs).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import orjson

from football_assets.domain.scorelines import Score, likeliest_scores, score_matrix
from football_assets.errors import FootballError, RegistryError
from football_assets.registry.inputs_used import groups_used, limited_tier
from football_assets.registry.predictor import OnnxForecaster, load_predictor, load_team_state
from football_assets.registry.signing import ModelSignature
from football_assets.registry.store import Registry
from football_assets.sequences.custom_histories import CustomTeam, encode_custom
from football_assets.sequences.encoder import SequenceBatch
from football_assets.sequences.fixture_days import FixtureDays, next_match_day
from football_assets.sequences.spec import FeatureGroup
from football_assets.sequences.state import Fixture, KnownFixture, TeamState
from football_assets.sequences.tiers import tier_of
from football_assets.storage.model_files import METRICS, MODEL_CARD
from serve.schemas import FixtureRequest
from serve.trace_context import TraceContext


class FixtureQuery(NamedTuple):
    """A fixture to forecast, under the identifier of its request.

    Attributes
    ----------
    request_id
        Identifier in the prediction log.
    kind
        `predict` or `batch`.
    fixture
        What the caller sent.
    trace
        Trace context of the request; None: it has none.
    """

    request_id: str
    kind: str
    fixture: FixtureRequest
    trace: TraceContext | None = None


@dataclass(frozen=True, slots=True)
class CustomQuery:
    """A match between two teams with custom histories."""

    request_id: str
    league: str
    home: CustomTeam
    away: CustomTeam
    trace: TraceContext | None = None


class MatchForecast(NamedTuple):
    """The forecast of one match and the inputs that the prediction log stores.

    Attributes
    ----------
    model_version
        Registry version that made the forecast.
    league_id, league_name, day
        Of the match.
    fixture
        None for custom histories.
    probabilities
        Of home win, draw and away win, `[3]`.
    expected_goals
        Of the home and the away team after 90 minutes, `[2]`.
    likeliest
        The three likeliest scores, the likeliest first.
    scores
        Probability of each score, `[home goals, away goals]`.
    context
        The network's context features, in the order of the feature spec.
    inputs
        Tier of input of the forecast.
    unknown_opponents
        Opponents in custom histories that the model does not know.
    """

    model_version: int
    league_id: str
    league_name: str
    day: date
    fixture: KnownFixture | None
    probabilities: list[float]
    expected_goals: list[float]
    likeliest: list[Score]
    scores: np.ndarray
    context: np.ndarray
    inputs: str
    unknown_opponents: tuple[str, ...] = ()


Outcome = MatchForecast | Exception  # of a query: its forecast, or why it has none


@dataclass(frozen=True)
class ServedModel:
    """A registry version that has been loaded and has forecast a test fixture."""

    version: int
    published: datetime
    state: TeamState
    forecaster: OnnxForecaster
    metrics: Mapping[str, Any]
    card: str
    used: frozenset[FeatureGroup]  # groups of inputs that change its forecasts
    signature: ModelSignature
    provenance: Mapping[str, Any] | None  # of the manifest; None: an earlier release registered the version

    @classmethod
    def load(
        cls, registry: Registry, reference: int | str, scratch: Path, *, provider: str, threads: int
    ) -> "ServedModel":
        """Open a version of the registry and forecast a test fixture with it.

        Its manifest is read once, and the bytes that were verified are the bytes that are parsed.

        Parameters
        ----------
        registry
            Holds the bundle.
        reference
            Version or alias.
        scratch
            Folder that caches the bundle.
        provider
            `auto`, `cpu` or `cuda`.
        threads
            Threads that one inference may use.

        Raises
        ------
        FootballError
            The bundle is missing, corrupt or not signed where signatures are verified, or its forecast is not a
            distribution.
        """
        stored = registry.open(reference)
        version = stored.number
        try:
            bundle = stored.load(scratch)
            state = load_team_state(bundle)
            forecaster = load_predictor(bundle, threads, provider)
            model = cls(
                version=version,
                published=stored.manifest.published,
                state=state,
                forecaster=forecaster,
                metrics=orjson.loads(bundle.read(METRICS)),
                card=bundle.read(MODEL_CARD).decode(),
                used=groups_used(forecaster, state.spec),
                signature=stored.signature(),
                provenance=stored.provenance,
            )
            model._forecast_test_fixture()
        except FootballError:
            raise
        except Exception as error:  # of the disk, or of a parser that cannot read a file of the bundle
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
    ) -> list[MatchForecast | FootballError]:
        """Forecast fixtures in one inference.

        Parameters
        ----------
        queries
            Fixtures by name.
        listed
            Days of the fixtures that are requested without one.
        today
            Day of fixtures that are requested without one and are not listed.

        Returns
        -------
        list
            One item per query, in order: the forecast, or the error of a fixture that cannot be forecast.
        """
        located = [*self._locate(queries, listed, today)]
        known = [item for item in located if isinstance(item, KnownFixture)]
        forecasts = iter(self._forecast_known(known) if known else ())
        return [next(forecasts) if isinstance(item, KnownFixture) else item for item in located]

    def forecast_custom(self, query: CustomQuery, today: date) -> MatchForecast:
        """Forecast a match between custom histories, played today or on the first day after the known results.

        Raises
        ------
        UnknownLeague
            The league is not known.
        FootballError
            A history is not valid.
        """
        day = max(today, self.as_of + timedelta(days=1))
        custom = encode_custom(self.state, query.league, day, query.home, query.away)
        (forecast,) = self._predict(custom.batch, [(custom.league_id, custom.league_name, day, None)])
        return forecast._replace(unknown_opponents=custom.unknown_opponents)

    def _locate(
        self, queries: Sequence[FixtureQuery], listed: FixtureDays, today: date
    ) -> Iterator[KnownFixture | FootballError]:
        """Resolve the names of each query, once."""
        state = self.state
        for _, _, asked, _ in queries:
            try:
                pairing = state.resolve(asked.league, asked.home_team, asked.away_team)
                day = asked.date or next_match_day(state, listed, pairing, today)
                given = asked.odds
                odds = None if given is None else (given.home, given.draw, given.away)
                yield state.known_fixture(pairing, day, odds=odds)
            except FootballError as error:
                yield error

    def _forecast_known(self, fixtures: Sequence[KnownFixture]) -> list[MatchForecast]:
        matches = [(item.league_id, item.league_name, item.kickoff_date, item) for item in fixtures]
        return self._predict(self.state.encode_known(fixtures), matches)

    def _predict(
        self, batch: SequenceBatch, matches: Sequence[tuple[str, str, date, KnownFixture | None]]
    ) -> list[MatchForecast]:
        """Run the network on encoded matches, each given by league, league name, day and fixture."""
        probabilities, goals = self.forecaster.predict(batch.home_history, batch.away_history, batch.context)
        scores = score_matrix(goals[:, 0], goals[:, 1], probabilities)
        return [
            MatchForecast(self.version, *match, *outputs)
            for match, *outputs in zip(
                matches,
                probabilities.tolist(),
                goals.tolist(),
                likeliest_scores(scores),
                scores,
                batch.context,
                [limited_tier(tier, self.used) for tier in tier_of(batch.context, self.state.spec)],
                strict=True,
            )
        ]

    def _forecast_test_fixture(self) -> None:
        leagues = self.state.leagues()
        league = max(leagues, key=lambda item: item.teams)
        teams = self.state.teams(league=league.league_id, limit=2)
        day = max(self.as_of, datetime.now(UTC).date()) + timedelta(days=1)
        fixture = self.state.locate(Fixture(league.league_id, teams[0].team, teams[1].team, day))
        (forecast,) = self._forecast_known([fixture])
        numbers = np.array([*forecast.probabilities, *forecast.expected_goals])
        if not np.isfinite(numbers).all() or abs(sum(forecast.probabilities) - 1) > 1e-3:
            raise RegistryError(
                f"Model version {self.version} forecasts {numbers.tolist()}, which are not probabilities: promote "
                "another version."
            )
