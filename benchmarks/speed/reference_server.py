"""A plain server of the model: FastAPI on uvicorn, one ONNX Runtime session, one request at a time.

`bench_serve.py` compares it with the real server, with the same model and the same requests. It neither batches nor
logs nor swaps models.
"""

import argparse
from datetime import date
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel

from football_assets.domain.scorelines import Score, likeliest_scores, score_matrix
from football_assets.registry.predictor import load_predictor, load_team_state
from football_assets.registry.store import Registry
from football_assets.sequences.state import Fixture
from football_assets.storage.opening import open_bucket


class Match(BaseModel):
    """A match to forecast."""

    league: str
    home_team: str
    away_team: str
    date: date


class Forecast(BaseModel):
    """What the model says of it."""

    probabilities: dict[str, float]
    expected_goals: dict[str, float]
    likeliest_scores: list[Score]


def build(bucket: str, scratch: Path) -> FastAPI:
    """The application on the production model of a bucket."""
    bundle = Registry(open_bucket(bucket)).open("production").load(scratch)
    state, session = load_team_state(bundle), load_predictor(bundle)
    api = FastAPI()

    @api.post("/predict")
    async def predict(match: Match) -> Forecast:
        fixture = Fixture(match.league, match.home_team, match.away_team, match.date)
        batch = state.encode([fixture])
        probabilities, goals = session.predict(batch.home_history, batch.away_history, batch.context)
        scores = score_matrix(goals[:, 0], goals[:, 1], probabilities)
        return Forecast(
            probabilities=dict(zip(("home", "draw", "away"), probabilities[0].tolist(), strict=True)),
            expected_goals=dict(zip(("home", "away"), goals[0].tolist(), strict=True)),
            likeliest_scores=likeliest_scores(scores)[0],
        )

    return api


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bucket")
    parser.add_argument("scratch", type=Path)
    parser.add_argument("--port", type=int, default=8001)
    arguments = parser.parse_args()
    uvicorn.run(
        build(arguments.bucket, arguments.scratch), port=arguments.port, log_level="warning", access_log=False
    )
