"""The evaluation: scores of the test period only, all forecasters on the same matches."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from football_assets.domain.scoring_rules import score
from football_assets.errors import NotEnoughData
from football_assets.training.evaluation import (
    confusion,
    evaluate_forecaster,
    load_metrics,
    probabilities_of,
    save_evaluation,
)
from football_assets.training.predictions import forecast
from football_assets_tests.builders.fits import Fitted


@pytest.fixture(scope="module")
def evaluation(simulated: Fitted) -> tuple[dict, pl.DataFrame]:
    return evaluate_forecaster(simulated.fit.network, simulated.tensors, simulated.split)


def test_there_is_a_forecast_a_test_match_beside_what_happened(
    simulated: Fitted, evaluation: tuple[dict, pl.DataFrame]
) -> None:
    _, predictions = evaluation
    rows = simulated.split.test

    assert predictions["match_id"].to_list() == simulated.tensors.keys["match_id"][rows].to_list()
    assert predictions["outcome"].to_list() == simulated.tensors.outcome[rows].tolist()
    assert predictions["home_goals"].to_list() == simulated.tensors.goals[rows, 0].tolist()
    assert set(predictions.columns) == {
        *("match_id", "league_id", "season", "kickoff_date", "home_team", "away_team"),
        *("home_goals", "away_goals", "outcome", "xg_home", "xg_away"),
        *(
            f"{who}p_{side}"
            for who in ("", "class_prior_", "elo_", "odds_")
            for side in ("home", "draw", "away")
        ),
    }


def test_every_score_is_that_of_the_predictions_stored_beside_it(
    simulated: Fitted, evaluation: tuple[dict, pl.DataFrame]
) -> None:
    metrics, predictions = evaluation
    outcomes = predictions["outcome"].to_numpy()

    assert metrics["test"] == score(probabilities_of(predictions), outcomes).as_dict()
    for name in ("class_prior", "elo"):
        expected = score(probabilities_of(predictions, f"{name}_"), outcomes).as_dict()
        assert metrics["baselines"][name] == expected
    counts = [metrics[f"{name}_matches"] for name in ("train", "validation", "test")]
    assert counts == [len(simulated.split.train), len(simulated.split.validation), len(outcomes)]
    assert metrics["split"] == simulated.split.as_dict()


def test_the_model_beats_the_class_prior_on_a_simulated_country(
    evaluation: tuple[dict, pl.DataFrame],
) -> None:
    metrics, _ = evaluation

    for name in ("log_loss", "rps", "brier"):
        assert metrics["test"][name] < metrics["baselines"]["class_prior"][name]


def test_the_bookmaker_is_compared_on_the_matches_that_have_odds(
    evaluation: tuple[dict, pl.DataFrame],
) -> None:
    metrics, predictions = evaluation
    priced = predictions.filter(pl.col("league_id") == "eng.1")
    outcomes = priced["outcome"].to_numpy()
    bookmaker = metrics["baselines"]["bookmaker"]

    assert 0 < bookmaker["matches"] == len(priced) < len(predictions)
    assert bookmaker["model_log_loss"] == score(probabilities_of(priced), outcomes).log_loss
    assert bookmaker["log_loss"] == score(probabilities_of(priced, "odds_"), outcomes).log_loss
    assert predictions.filter(pl.col("league_id") != "eng.1")["odds_p_home"].null_count() == len(
        predictions
    ) - len(priced)


def test_without_odds_there_is_no_bookmaker(planted: Fitted) -> None:
    metrics, predictions = evaluate_forecaster(planted.fit.network, planted.tensors, planted.split)

    assert set(metrics["baselines"]) == {"class_prior", "elo"}
    assert predictions["odds_p_draw"].null_count() == len(predictions)


def test_tiers_are_scored_where_a_test_match_has_more_than_results(priced: Fitted, planted: Fitted) -> None:
    metrics, predictions = evaluate_forecaster(priced.fit.network, priced.tensors, priced.split)
    results_only, _ = evaluate_forecaster(planted.fit.network, planted.tensors, planted.split)

    tiers = {row["tier"]: row for row in metrics["tiers"]}
    assert tiers["results+shots+odds"]["log_loss"] == metrics["test"]["log_loss"]
    assert metrics["baselines"]["bookmaker"]["matches"] == tiers[list(tiers)[-1]]["matches"]
    assert "tiers" not in results_only
    hidden, _ = forecast(priced.fit.network, priced.tensors, priced.split.test)
    np.testing.assert_array_equal(probabilities_of(predictions), hidden)


def test_scores_by_league_add_up_to_the_whole(evaluation: tuple[dict, pl.DataFrame]) -> None:
    metrics, _ = evaluation
    leagues = metrics["by_league"]
    weights = np.array([row["matches"] for row in leagues])

    assert {row["league_id"] for row in leagues} == {"eng.1", "eng.2", "eng.cup"}
    assert weights.tolist() == sorted(weights, reverse=True)
    for name, whole in (("log_loss", metrics["test"]), ("rps", metrics["test"])):
        assert np.average([row[name] for row in leagues], weights=weights) == pytest.approx(whole[name])
    elo = np.average([row["elo_log_loss"] for row in leagues], weights=weights)
    assert elo == pytest.approx(metrics["baselines"]["elo"]["log_loss"])


def test_the_confusion_has_what_happened_in_rows_and_the_likeliest_in_columns() -> None:
    forecasts = np.array([[0.6, 0.3, 0.1], [0.6, 0.3, 0.1], [0.2, 0.5, 0.3], [0.1, 0.1, 0.8]])

    found = confusion(forecasts, np.array([0, 2, 0, 2]))

    assert found.tolist() == [[1, 1, 0], [0, 0, 0], [1, 0, 1]]


def test_the_confusion_of_the_evaluation_agrees_with_its_accuracy(
    evaluation: tuple[dict, pl.DataFrame],
) -> None:
    metrics, _ = evaluation
    matrix = np.array(metrics["confusion"])

    assert matrix.sum() == metrics["test_matches"]
    assert np.trace(matrix) / matrix.sum() == pytest.approx(metrics["test"]["accuracy"])


def test_results_of_the_test_period_change_scores_and_no_forecast(
    simulated: Fitted, evaluation: tuple[dict, pl.DataFrame]
) -> None:
    outcome = np.array(simulated.tensors.outcome)
    outcome[simulated.split.test] = (outcome[simulated.split.test] + 1) % 3

    metrics, predictions = evaluate_forecaster(
        simulated.fit.network, replace(simulated.tensors, outcome=outcome), simulated.split
    )

    assert_frame_equal(predictions.drop("outcome"), evaluation[1].drop("outcome"))
    assert metrics["test"]["log_loss"] != evaluation[0]["test"]["log_loss"]


def test_an_empty_test_period_is_told(simulated: Fitted) -> None:
    empty = replace(simulated.split, test=np.array([], dtype=np.int64))

    with pytest.raises(NotEnoughData, match="test period has no played match"):
        evaluate_forecaster(simulated.fit.network, simulated.tensors, empty)


def test_a_saved_evaluation_is_read_back_equal(evaluation: tuple[dict, pl.DataFrame], tmp_path: Path) -> None:
    metrics, predictions = evaluation

    save_evaluation(metrics, predictions, tmp_path)

    assert load_metrics(tmp_path) == metrics
    assert_frame_equal(pl.read_parquet(tmp_path / "test_predictions.parquet"), predictions)
