"""`football demo` on the bundled results: the whole graph as real Dagster runs, inside this process."""

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from football_assets import cli
from football_assets.forecasting.fixtures import forecast_match
from football_assets.registry.predictor import load_team_state
from football_assets.registry.store import Registry
from football_assets.sequences.tensors import open_tensors
from football_assets.storage.artifacts import fetch
from football_assets.storage.bucket import Bucket
from football_assets.storage.opening import open_bucket
from football_assets.storage.tables import read_table
from football_assets_tests.builders.demo import FIGURES


@dataclass(frozen=True)
class World:
    """A home after the demo, and the figures that it wrote."""

    home: Path
    bucket: Bucket
    figures: dict[str, Any]

    def run(self, *arguments: str) -> int:
        """Call the command line on this home."""
        return cli.main(["--home", str(self.home), *arguments])

    def folder(self, asset: str) -> Path:
        """Current content of an asset that is a folder."""
        return fetch(self.bucket, asset, self.home / "scratch")


@pytest.fixture(scope="module")
def world(demo_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A copy: tests here land results and run assets, and the fixture is shared."""
    before = dict(os.environ)
    home = Path(shutil.copytree(demo_home, tmp_path_factory.mktemp("world") / "home"))
    figures = (demo_home.parent / FIGURES).read_text()
    yield World(home, open_bucket(str(home / "bucket")), json.loads(figures))
    os.environ.clear()
    os.environ.update(before)


def test_the_demo_writes_the_figures_that_it_shows(world: World) -> None:
    metrics = json.loads((world.folder("model_evaluation") / "metrics.json").read_text())

    assert world.figures["test"] == metrics["test"]
    assert world.figures["baselines"]["elo"]["log_loss"] == metrics["baselines"]["elo"]["log_loss"]
    assert world.figures["fixtures_forecast"] == 1369
    assert world.figures["model_version"] == 1
    assert world.figures["seconds"] > 0
    matches = [world.figures[f"{period}_matches"] for period in ("train", "validation", "test")]
    played = read_table(world.bucket, "stg_matches")["is_played"].sum()
    assert min(matches) > 500
    assert sum(matches) < played == 6048


def test_every_fixture_is_forecast_by_a_model_that_passed_the_gate(world: World) -> None:
    forecasts = read_table(world.bucket, "fixture_predictions")
    fixtures = read_table(world.bucket, "stg_matches").filter(~pl.col("is_played"))

    assert set(forecasts["match_id"]) == set(fixtures["match_id"])
    assert len(forecasts) == 1369
    total = forecasts.select(pl.sum_horizontal("p_home", "p_draw", "p_away")).to_series().to_numpy()
    np.testing.assert_allclose(total, 1, atol=1e-5)
    assert forecasts["model_version"].unique().to_list() == [Registry(world.bucket).aliases()["production"]]
    strong = forecasts.filter(pl.col("home_team") == "FC Bayern München")
    assert strong["p_home"].min() > 0.5  # type: ignore[operator]


def test_the_model_beats_the_class_prior_clearly_and_elo_on_matches_it_never_saw(world: World) -> None:
    ours, baselines = world.figures["test"], world.figures["baselines"]

    assert ours["log_loss"] < baselines["class_prior"]["log_loss"] - 0.03
    assert ours["log_loss"] < baselines["elo"]["log_loss"]
    assert ours["rps"] < baselines["elo"]["rps"]


def test_a_fixture_asked_for_by_name_has_the_inputs_of_the_graph_to_the_bit(world: World) -> None:
    tensors = open_tensors(world.folder("sequence_tensors"))
    state = load_team_state(Registry(world.bucket).open("production").load(world.home / "scratch"))
    # One fixture was postponed and not played since: its teams have later results.
    unplayed = np.flatnonzero(~tensors.played & (tensors.days > np.datetime64(state.as_of)))
    assert len(unplayed) == 1368

    batch = state.encode_rows(
        tensors.keys[unplayed].select("league_id", "season", "kickoff_date", "home_team_id", "away_team_id")
    )

    expected = tensors.take(unplayed)
    np.testing.assert_array_equal(batch.home_history, expected.home_history)
    np.testing.assert_array_equal(batch.away_history, expected.away_history)
    np.testing.assert_array_equal(batch.context, expected.context)


def test_the_demo_again_makes_the_same_tables_and_no_new_version(
    world: World, capfd: pytest.CaptureFixture[str]
) -> None:
    versions = Registry(world.bucket).versions()
    before = {info.name: info.version for info in world.bucket.list("tables/")}

    assert world.run("demo") == 0

    assert {info.name: info.version for info in world.bucket.list("tables/")} == before
    assert Registry(world.bucket).versions() == versions
    shown = capfd.readouterr().out
    coming, overdue = shown.split("Date passed, no result yet: 1 of 1,369 fixtures")
    assert table_rows(coming)[0][:4] == ["2015-11-20", "at.2", "FC Liefering", "LASK Linz"]
    assert table_rows(overdue)[0][:4] == ["2015-10-23", "at.2", "SV Austria Salzburg", "LASK Linz"]
    for row in (table_rows(coming)[0], table_rows(coming)[-1]):  # what it shows can be asked for
        assert world.run("predict", *row[1:4]) == 0
        assert table_rows(capfd.readouterr().out) == [row]


def test_an_overdue_fixture_is_forecast_for_the_next_day_of_its_teams(
    world: World, capfd: pytest.CaptureFixture[str]
) -> None:
    assert world.run("predict", "at.2", "SV Austria Salzburg", "LASK Linz") == 0

    shown = capfd.readouterr().out
    assert table_rows(shown)[0][0] == "2016-05-10"
    assert "Date passed, no result yet: 2015-10-23." in shown


def table_rows(printed: str) -> list[list[str]]:
    """Cells of the rows of fixtures in what the command line has printed."""
    lines = [line for line in printed.splitlines() if line.startswith("│ 20")]
    return [[cell.strip() for cell in line.strip("│").split("│")] for line in lines]


def test_a_result_corrected_later_changes_features_of_later_days_only(world: World, tmp_path: Path) -> None:
    source = next(world.bucket.root.glob("raw/*/2015-16/en*.1.json"))  # type: ignore[attr-defined]
    document = json.loads(source.read_text(encoding="utf-8"))
    match = next(m for m in document["matches"] if m["team1"] == "Arsenal" and m["score"].get("ft"))
    day = date.fromisoformat(match["date"])
    match["score"]["ft"] = [9, 0]
    corrected = tmp_path / "openfootball" / "2015-16" / source.name
    corrected.parent.mkdir(parents=True)
    corrected.write_text(json.dumps(document), encoding="utf-8")
    before = read_table(world.bucket, "match_features")

    assert world.run("land", str(corrected)) == 0
    assert world.run("materialize", "--select", "+match_features", "--country", "eng") == 0

    after = read_table(world.bucket, "match_features")
    inputs = [name for name in before.columns if not name.endswith("_goals") or name.startswith("league")]
    inputs = [name for name in inputs if name not in ("outcome", "is_played")]
    known = pl.col("kickoff_date") <= day
    assert before.filter(known).select(inputs).equals(after.filter(known).select(inputs))
    next_days = before.filter((pl.col("kickoff_date") > day) & (pl.col("home_team") == "Arsenal"))
    changed = after.join(next_days, on="match_id", suffix="_before")
    assert (changed["home_elo"] != changed["home_elo_before"]).all()


def test_predict_answers_by_name_and_offers_spellings(
    world: World, capfd: pytest.CaptureFixture[str]
) -> None:
    assert world.run("predict", "eng.1", "Arsenal", "Chelsea", "--date", "2016-06-01") == 0
    (shown,) = [line for line in capfd.readouterr().out.splitlines() if "Chelsea" in line]
    forecast = forecast_match(
        Registry(world.bucket), world.home / "scratch", "eng.1", "Arsenal", "Chelsea", date(2016, 6, 1)
    ).row(0, named=True)
    assert [cell.strip() for cell in shown.strip("│").split("│")] == [
        "2016-06-01",
        "eng.1",
        "Arsenal",
        "Chelsea",
        *(f"{forecast[name]:.0%}".replace("%", " %") for name in ("p_home", "p_draw", "p_away")),
        f"{forecast['xg_home']:.1f} – {forecast['xg_away']:.1f}",
        forecast["likeliest_scores"],
        "results",
    ]
    assert len({forecast["p_home"], forecast["p_draw"], forecast["p_away"]}) == 3

    assert world.run("predict", "eng.1", "Arsenall", "Chelsea") == 1
    assert "Did you mean 'Arsenal'" in capfd.readouterr().err
    assert world.run("predict", "eng.7", "Arsenal", "Chelsea") == 1
    assert "eng.1" in capfd.readouterr().err
