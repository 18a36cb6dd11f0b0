"""One version in memory: which day it assumes, which field it blames, and that it is tried before it answers."""

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import onnx
import pytest

from football_assets.errors import FootballError, UnknownLeague, UnknownName, UnknownTeam
from football_assets.registry.store import Registry
from football_assets.sequences.custom_histories import CustomTeam
from football_assets.sequences.spec import MATCH_ODDS
from football_assets.sequences.state_names import StateNames
from football_assets.storage.local import LocalBucket
from football_assets_tests.builders.demo import publish_reversed
from football_assets_tests.builders.model_versions import copy_version
from football_assets_tests.builders.running import fixture_query
from serve.fixture_list import FixtureList
from serve.schemas import MatchOdds
from serve.served_model import CustomQuery, FixtureQuery, MatchForecast, ServedModel
from serve.service import ForecastService

TODAY = date(2026, 1, 1)


class Days:
    """A fixture list of one match."""

    def __init__(self, day: date | None = None) -> None:
        self.day = day

    def day_of(self, league_id: str, home_team: str, away_team: str, earliest: date) -> date | None:
        is_listed = (league_id, home_team, away_team) == ("eng.1", "Arsenal", "Chelsea")
        return self.day if is_listed and self.day is not None and self.day >= earliest else None


def query(
    home_team: str = "Arsenal", away_team: str = "Chelsea", league: str = "eng.1", day: date | None = None
) -> FixtureQuery:
    return fixture_query("r", "predict", league, home_team, away_team, day)


@pytest.fixture(scope="module")
def model(shared_service: ForecastService) -> ServedModel:
    return shared_service.ready()


@pytest.mark.parametrize(
    ("listed", "today", "expected"),
    [
        (date(2016, 1, 23), TODAY, date(2016, 1, 23)),
        (date(2016, 1, 23), date(2015, 1, 1), date(2016, 1, 23)),
        (None, TODAY, TODAY),
        (None, date(2015, 11, 7), date(2015, 11, 8)),
        (None, date(2015, 11, 8), date(2015, 11, 8)),
        (date(2015, 11, 7), date(2015, 1, 1), date(2015, 11, 8)),
        (date(2015, 11, 7), TODAY, TODAY),
        (date(2015, 11, 8), TODAY, date(2015, 11, 8)),
    ],
)
def test_the_day_is_that_of_the_list_else_today_else_the_day_after_the_last_result(
    model: ServedModel, listed: date | None, today: date, expected: date
) -> None:
    for name in ("Arsenal", "Chelsea"):
        assert model.state.last_match(f"eng:{name}") == date(2015, 11, 7)
    for asked in (query("arsenal", "CHELSEA", "Premier League"), query()):
        (answer,) = model.forecast([asked], Days(listed), today)
        assert isinstance(answer, MatchForecast)
        assert answer.day == expected


def test_the_last_result_is_that_of_the_team_that_played_last(model: ServedModel) -> None:
    relegated = model.state.last_match("eng:Burnley")
    assert relegated is not None
    assert relegated < date(2015, 6, 1)
    for names in (("Burnley", "Arsenal"), ("Arsenal", "Burnley")):
        (answer,) = model.forecast([query(*names)], Days(), date(2015, 6, 1))
        assert isinstance(answer, MatchForecast)
        assert answer.day == date(2015, 11, 8)


def test_a_day_that_is_asked_for_is_not_changed(model: ServedModel) -> None:
    (answer,) = model.forecast([query(day=date(2017, 2, 3))], Days(date(2016, 1, 23)), TODAY)
    assert isinstance(answer, MatchForecast)
    assert answer.day == date(2017, 2, 3)


def test_histories_are_forecast_for_today_or_the_first_day_after_the_results(model: ServedModel) -> None:
    given = CustomQuery("r", "eng.1", CustomTeam(), CustomTeam())
    assert model.forecast_custom(given, TODAY).day == TODAY
    assert model.forecast_custom(given, date(2010, 1, 1)).day == date(2015, 11, 9)


def test_answers_and_errors_keep_the_order_of_the_queries(model: ServedModel) -> None:
    queries = [
        query("Nobody"),
        query(),
        query(league="nowhere"),
        query("Chelsea", "Chelsea"),
        query("Chelsea", "Arsenal", day=date(2015, 1, 1)),
        query("Liverpool", "Everton"),
    ]

    answers = model.forecast(queries, Days(), TODAY)

    kinds = [UnknownTeam, MatchForecast, UnknownLeague, FootballError, FootballError, MatchForecast]
    assert [type(answer) for answer in answers] == kinds
    last = answers[-1]
    assert isinstance(last, MatchForecast)
    assert last.fixture is not None
    assert (last.fixture.home_team, last.fixture.away_team) == ("Liverpool", "Everton")
    (alone,) = model.forecast([queries[-1]], Days(), TODAY)
    assert isinstance(alone, MatchForecast)
    np.testing.assert_allclose(last.probabilities, alone.probabilities, atol=1e-6)
    assert model.forecast([], Days(), TODAY) == []


def test_odds_of_a_query_reach_the_network_and_are_named_where_the_model_uses_them(
    model: ServedModel,
) -> None:
    asked = fixture_query(
        "r", "predict", "eng.1", "Arsenal", "Chelsea", odds=MatchOdds(home=2.0, draw=4.0, away=4.0)
    )
    places = [model.state.spec.context_names.index(name) for name in MATCH_ODDS]

    given, plain = model.forecast([asked, query()], Days(), TODAY)
    named, _ = replace(model, used=model.used | {"match_odds"}).forecast([asked, query()], Days(), TODAY)

    assert isinstance(given, MatchForecast)
    assert isinstance(plain, MatchForecast)
    assert isinstance(named, MatchForecast)
    np.testing.assert_array_equal(given.context[places], np.array([0.5, 0.25, 0.25], dtype=np.float32))
    assert np.isnan(plain.context[places]).all()
    # The demo has no odds, so its model has not learnt what they are worth.
    assert (given.inputs, plain.inputs) == ("results", "results")
    assert given.probabilities == pytest.approx(plain.probabilities, abs=1e-6)
    assert named.inputs == "results+match_odds"


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        (query(league="nowhere"), "league"),
        (query("Nobody", "No one"), "home_team"),
        (query(away_team="No one"), "away_team"),
    ],
)
def test_the_first_field_with_an_unknown_name_is_blamed(
    model: ServedModel, asked: FixtureQuery, field: str
) -> None:
    (error,) = model.forecast([asked], Days(), TODAY)
    assert isinstance(error, UnknownName)
    assert error.field == field


def test_in_a_large_batch_all_errors_offer_spellings(model: ServedModel) -> None:
    errors = model.forecast([query("Arsenall")] * 100, Days(), TODAY)

    offers = [error.suggestions for error in errors if isinstance(error, UnknownName)]
    assert len(offers) == 100
    assert all(offers)


def test_the_names_of_a_query_are_resolved_once(model: ServedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    resolved: list[str] = []
    find_league, find_team = StateNames.find_league, StateNames.find_team

    def counted_league(names: StateNames, text: str) -> str:
        resolved.append(text)
        return find_league(names, text)

    def counted_team(names: StateNames, league_id: str, name: str) -> str:
        resolved.append(name)
        return find_team(names, league_id, name)

    monkeypatch.setattr(StateNames, "find_league", counted_league)
    monkeypatch.setattr(StateNames, "find_team", counted_team)

    model.forecast([query(), query("Nobody"), query("Liverpool", "Everton", day=TODAY)], Days(), TODAY)

    assert resolved == [
        *("eng.1", "Arsenal", "Chelsea"),
        *("eng.1", "Nobody"),
        *("eng.1", "Liverpool", "Everton"),
    ]


def test_a_loaded_version_knows_what_it_is(demo_bucket: LocalBucket, tmp_path: Path) -> None:
    registry = Registry(demo_bucket)
    number = publish_reversed(demo_bucket, tmp_path / "publishing")

    second = ServedModel.load(registry, number, tmp_path, provider="cpu", threads=1)
    first = ServedModel.load(registry, "production", tmp_path, provider="auto", threads=2)

    assert (first.version, second.version) == (1, number)
    assert first.published < second.published <= datetime.now(UTC)
    assert first.as_of == second.as_of == date(2015, 11, 8)
    assert "log_loss" in first.metrics["test"]
    assert first.card.startswith("#")
    (ours,) = first.forecast([query()], FixtureList.empty(), TODAY)
    (theirs,) = second.forecast([query()], FixtureList.empty(), TODAY)
    assert isinstance(ours, MatchForecast)
    assert isinstance(theirs, MatchForecast)
    assert (ours.model_version, theirs.model_version) == (1, number)
    assert ours.probabilities != theirs.probabilities


def test_a_network_that_answers_nonsense_is_not_served(demo_bucket: LocalBucket, tmp_path: Path) -> None:
    registry = Registry(demo_bucket)
    bundle = copy_version(registry.open(1), tmp_path / "nonsense")
    network = onnx.load(str(bundle / "model.onnx"))
    for tensor in network.graph.initializer:
        values = onnx.numpy_helper.to_array(tensor)
        if values.dtype == np.float32:
            tensor.CopyFrom(onnx.numpy_helper.from_array(np.full_like(values, np.nan), tensor.name))
    onnx.save(network, str(bundle / "model.onnx"))
    number = registry.publish(bundle, {})

    with pytest.raises(FootballError, match="not probabilities"):
        ServedModel.load(registry, number, tmp_path, provider="cpu", threads=1)
