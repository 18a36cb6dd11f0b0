"""No forecast is sent before its record is on disk, for any kind of request."""

from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np

from football_assets.errors import FootballError, UnknownTeam
from football_assets.sequences.custom_histories import CustomMatch, CustomTeam, encode_custom
from football_assets.sequences.state import Fixture
from football_assets_tests.builders.queries import DAY, QUERIES, logged
from football_assets_tests.builders.running import Client, ServingLog, fixture_query, metric
from serve.middleware import App, Message, Receive, Scope, Send
from serve.prediction_log import PredictionLogError
from serve.served_model import CustomQuery, MatchForecast
from serve.service import ForecastService

BODY = {"league": "eng.1", "home_team": "Arsenal", "away_team": "Chelsea"}


MakeClient = Callable[..., Client]


def test_a_record_holds_the_inputs_and_the_answer(service: ForecastService) -> None:
    before = datetime.now(UTC)
    _, answers = service.answer(QUERIES)

    records = logged(service)

    model = service.ready()
    fixtures = [Fixture(asked.league, asked.home_team, asked.away_team, DAY) for _, _, asked, _ in QUERIES]
    context = model.state.encode(fixtures).context
    assert len(records) == len(answers) == 3
    for record, query, answer, row in zip(records, QUERIES, answers, context, strict=True):
        assert isinstance(answer, MatchForecast)
        assert record["request_id"] == query.request_id
        assert record["kind"] == "batch"
        assert record["model_version"] == 1
        assert record["kickoff_date"] == str(DAY)
        assert record["p"] == answer.probabilities
        assert record["xg"] == answer.expected_goals
        assert record["inputs"] == answer.inputs == "results"
        assert record["latency_ms"] > 0
        assert before <= datetime.fromisoformat(record["time"]) <= datetime.now(UTC)
        values = [np.nan if value is None else value for value in record["features"]]
        np.testing.assert_array_equal(np.array(values, dtype=np.float32), row)
    ids = [(record["league_id"], record["home_team_id"], record["away_team_id"]) for record in records]
    assert ids == [
        ("eng.1", "eng:Arsenal", "eng:Chelsea"),
        ("de.1", "de:FC Bayern München", "de:1. FC Köln"),
        ("it.1", "it:Juventus", "it:Roma"),
    ]


def test_a_record_of_given_histories_names_no_team_and_holds_their_inputs(service: ForecastService) -> None:
    home = CustomTeam([CustomMatch(2, 0, True, 7), CustomMatch(1, 3, False, 14)], elo=1600)
    query = CustomQuery("given", "eng.1", home, CustomTeam())

    answer = service.answer_custom(query)

    (record,) = logged(service)
    model = service.ready()
    context = encode_custom(model.state, "eng.1", answer.day, home, CustomTeam()).batch.context[0]
    assert (record["kind"], record["request_id"]) == ("sequences", "given")
    assert record["home_team_id"] is record["away_team_id"] is None
    assert record["p"] == answer.probabilities
    values = [np.nan if value is None else value for value in record["features"]]
    np.testing.assert_array_equal(np.array(values, dtype=np.float32), context)


def test_what_cannot_be_forecast_is_not_logged(service: ForecastService) -> None:
    unknown = fixture_query("r/x", "batch", "eng.1", "Arsenall", "Chelsea", DAY)
    _, answers = service.answer([unknown, QUERIES[0], unknown])
    assert [isinstance(answer, FootballError) for answer in answers] == [True, False, True]
    assert [record["request_id"] for record in logged(service)] == ["r/0"]


def test_the_record_is_on_the_disk_when_the_answer_leaves(
    service: ForecastService, make_client: MakeClient
) -> None:
    on_disk: list[list[str]] = []

    def watched(app: App) -> App:
        async def watching(scope: Scope, receive: Receive, send: Send) -> None:
            async def send_watched(message: Message) -> None:
                if message["type"] == "http.response.start":
                    on_disk.append([record["request_id"] for record in logged(service)])
                await send(message)

            await app(scope, receive, send_watched)

        return watching

    client = make_client(service)
    assert client.app is not None
    client.app = watched(client.app)

    first = client.post("/predict", json=BODY).json()
    batch = client.post("/predict/batch", json={"fixtures": [BODY, BODY]}).json()

    assert on_disk[0] == [first["request_id"]]
    assert on_disk[1] == [first["request_id"], f"{batch['request_id']}/0", f"{batch['request_id']}/1"]
    assert logged(service)[0]["p"] == list(first["probabilities"].values())


def test_an_answer_that_cannot_be_logged_does_not_leave(
    service: ForecastService, make_client: MakeClient, serving_log: ServingLog
) -> None:
    client = make_client(service)
    service.log.spool.rmdir()
    service.log.spool.write_bytes(b"a file where the folder was")

    unknown = fixture_query("r/x", "batch", "eng.1", "Arsenall", "Chelsea", DAY)
    _, outcomes = service.answer([*QUERIES, unknown])
    assert [type(outcome) for outcome in outcomes] == [PredictionLogError] * 3 + [UnknownTeam]
    assert len(set(map(id, outcomes))) == 4, "several requests raise them at the same time"
    for path, body in (("/predict", BODY), ("/predict/batch", {"fixtures": [BODY]})):
        answer = client.post(path, json=body)
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) > 0
        assert "could not be logged" in answer.json()["detail"]
        assert "probabilities" not in answer.text
    health = client.get("/health").json()
    assert health["status"] == "degraded"
    assert health["log_error"]
    assert metric(service, "prediction_log_failures_total") == 1
    assert metric(service, "predictions_total") == 0
    assert serving_log.text().count(" failed\nTraceback") == 2

    service.log.spool.unlink()
    assert client.post("/predict", json=BODY).status_code == 200
    assert client.get("/health").json()["status"] == "ok"
    assert metric(service, "predictions_total", kind="predict") == 1
    assert metric(service, "forecast_inputs_total") == 1
    assert metric(service, "forecast_inputs_total", inputs="results") == 1
