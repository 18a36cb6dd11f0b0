"""What a test sends to the HTTP API, and what it reads of an answer."""

from typing import Any

from pydantic import BaseModel

from serve.problems import MEDIA_TYPE, Problem

JSON = {"Content-Type": "application/json"}
FRAMEWORK_JSON = {"Content-Type": "application/json; charset=utf-8"}  # which the fast path leaves to FastAPI

LISTED = {"league": "eng.1", "home_team": "Arsenal", "away_team": "Chelsea"}
LISTED_DAY = "2016-01-23"
ODDS = {"home": 2.1, "draw": 3.4, "away": 3.6}
UNLISTED = {"league": "eng.1", "home_team": "Chelsea", "away_team": "Arsenal"}


def history(goals_for: int, goals_against: int, **match: Any) -> list[dict[str, Any]]:
    """Ten matches with the same score, home and away in turn."""
    return [
        {
            "goals_for": goals_for,
            "goals_against": goals_against,
            "is_home": n % 2 == 0,
            "days_ago": 7 * n,
            **match,
        }
        for n in range(1, 11)
    ]


def sequences(home: dict[str, Any], away: dict[str, Any], league: str = "eng.1") -> dict[str, Any]:
    return {"league": league, "home": home, "away": away}


def answered(schema: type[BaseModel], answer: Any) -> dict[str, Any]:
    """The body of an answer that follows its schema and holds nothing beside it."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    body: dict[str, Any] = answer.json()
    assert set(body) <= set(schema.model_fields)
    schema.model_validate(body)
    return body


def refused(answer: Any, status: int) -> dict[str, Any]:
    """The problem document of an answer."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == MEDIA_TYPE
    body: dict[str, Any] = answer.json()
    problem = Problem.model_validate(body)
    assert problem.status == status
    assert problem.title
    assert problem.detail
    assert problem.instance == answer.request.url.path
    assert problem.request_id == answer.headers["x-request-id"]
    return body


def fields(problem: dict[str, Any]) -> list[str]:
    return [error["field"] for error in problem["errors"]]
