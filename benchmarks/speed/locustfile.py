"""Load on a running server from Locust's page: users of the page, and programs that request batches.

    python -m venv /tmp/locust && /tmp/locust/bin/pip install locust
    /tmp/locust/bin/locust -f benchmarks/speed/locustfile.py --host http://127.0.0.1:8000

Then open http://127.0.0.1:8089. Locust is not a dependency of this project, and this file does not import the project.
FOOTBALL_API_KEY is sent if it is set. Figures come from `bench_serve.py`, whose load generator costs less.
"""

import os
import random

from locust import HttpUser, between, constant, task  # type: ignore[import-not-found]

TEAMS_OF_A_LEAGUE = 100
BATCH = 100


class _Visitor(HttpUser):
    """Knows the leagues of the server and their teams."""

    abstract = True

    def on_start(self) -> None:
        key = os.environ.get("FOOTBALL_API_KEY")
        if key:
            self.client.headers["X-API-Key"] = key
        leagues = self.client.get("/leagues").json()["leagues"]
        self.teams: dict[str, list[str]] = {}
        for league in random.sample(leagues, min(3, len(leagues))):
            url = f"/teams?league={league['league']}&limit={TEAMS_OF_A_LEAGUE}"
            teams = self.client.get(url, name="/teams").json()["teams"]
            names = [team["team"] for team in teams]
            if len(names) > 1:
                self.teams[league["league"]] = names

    def fixture(self) -> dict[str, str]:
        """Two teams of a league."""
        league, names = random.choice(list(self.teams.items()))
        home, away = random.sample(names, 2)
        return {"league": league, "home_team": home, "away_team": away}


class Person(_Visitor):
    """Open the page, list teams and fixtures, request a match."""

    weight = 9
    wait_time = between(0.5, 3)

    @task(2)
    def page(self) -> None:
        self.client.get("/")

    @task(10)
    def predict(self) -> None:
        self.client.post("/predict?scores=true", json=self.fixture(), name="/predict")

    @task(3)
    def fixtures(self) -> None:
        league = random.choice(list(self.teams))
        self.client.get(f"/fixtures?league={league}&limit=20", name="/fixtures")

    @task(4)
    def look_for_a_team(self) -> None:
        league, names = random.choice(list(self.teams.items()))
        name = random.choice(names)
        self.client.get("/teams", params={"query": name[:4], "league": league}, name="/teams")

    @task(3)
    def team(self) -> None:
        league, names = random.choice(list(self.teams.items()))
        self.client.get(f"/teams/{league}/{random.choice(names)}", name="/teams/{league}/{team}")


class Program(_Visitor):
    """Asks for batches, one after the other."""

    weight = 1
    wait_time = constant(1)

    @task
    def batch(self) -> None:
        fixtures = [self.fixture() for _ in range(BATCH)]
        self.client.post("/predict/batch", json={"fixtures": fixtures})
