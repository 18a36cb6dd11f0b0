"""A person finds on the card what the version is, how good it is, and where it ends."""

from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from football_assets.registry.model_card import (
    PACKAGES,
    DataSummary,
    LeagueCount,
    library_versions,
    summarise_data,
    write_model_card,
)
from football_assets.sequences.spec import DEFAULT_SPEC

DATA = DataSummary(8000, 300, 120, date(2012, 8, 1), date(2015, 11, 8), [LeagueCount("eng.1", 8000, 300)])
SCORES = {"log_loss": 1.01234, "rps": 0.2012, "brier": 0.6, "accuracy": 0.51, "ece": 0.012}
METRICS: dict[str, Any] = {
    "train_matches": 5000,
    "validation_matches": 1000,
    "test_matches": 1234,
    "split": {"train_end": "2014-08-01", "validation_end": "2015-01-01", "test_end": "2015-11-08"},
    "test": SCORES,
    "baselines": {"class_prior": SCORES | {"log_loss": 1.07}, "elo": SCORES | {"log_loss": 1.0222}},
    "by_league": [{"league_id": "eng.1", "matches": 1234, **SCORES}],
    "confusion": [[400, 0, 100], [200, 0, 134], [150, 0, 250]],
}
EXPORT: dict[str, Any] = {
    "opset": 20,
    "parity_max_abs_difference": 2.4e-7,
    "int8": {"accepted": True, "reason": "Test log loss changed by +0.000100."},
}


def card(**changes: Any) -> str:
    arguments: dict[str, Any] = {
        "metrics": METRICS,
        "training": {
            "config": {"epochs": 40, "network": {"hidden": 48}, "test_start": None},
            "best_epoch": 9,
        },
        "export": EXPORT,
        "spec": DEFAULT_SPEC,
        "data": DATA,
        "packages": {"torch": "2.13.0"},
    }
    return write_model_card(**(arguments | changes))


def test_the_card_shows_scores_beside_the_baselines() -> None:
    text = card()
    assert "| Score | This model | Class prior | Elo, logistic |" in text
    assert "| Log loss | 1.0123 | 1.0700 | 1.0222 |" in text
    assert "Bookmaker" not in text


def test_the_bookmaker_is_scored_on_the_matches_with_odds() -> None:
    bookmaker = {**SCORES, "log_loss": 1.0001, "matches": 900, "model_log_loss": 1.0044}
    text = card(metrics=METRICS | {"baselines": METRICS["baselines"] | {"bookmaker": bookmaker}})
    assert "| Log loss | 1.0123 | 1.0700 | 1.0222 | 1.0001 |" in text
    assert "known for 900 of the 1,234 test matches" in text
    assert "this model's log loss is 1.0044" in text


def test_the_card_shows_the_tiers_of_a_model_that_knows_more_than_results() -> None:
    difference = {"log_loss": {"value": -0.0122, "low": -0.0141, "high": -0.0107}}
    tiers = [
        {"tier": "results", "matches": 1234, "reference": "results", **SCORES},
        {
            "tier": "results+odds",
            "matches": 1234,
            "reference": "results",
            **(SCORES | {"log_loss": 1.0001}),
            "difference": difference,
        },
    ]

    text = card(metrics=METRICS | {"tiers": tiers})

    assert "## By tier of input" in text
    assert (
        "| results + past odds | 1,234 | 1.0001 | 0.2012 | 0.0120 | -12.2 [-14.1, -10.7] to results |" in text
    )
    assert "tier of input" not in card()


def test_the_card_says_what_was_learnt_from_and_until_when() -> None:
    text = card()
    assert "8,000 results from 2012-08-01 to 2015-11-08, 120 teams" in text
    assert "| Training | 5,000 | to 2014-08-01 |" in text
    assert "knows no result after 2015-11-08" in text
    assert "saw none after 2015-01-01 in training" in text
    assert "| Premier League | 1,234 | 1.0123 | 0.2012 |" in text
    assert "off by 1.2 percentage points" in text
    assert "| draw | 200 | 0 | 134 |" in text


def test_the_card_lists_every_input_setting_and_package() -> None:
    text = card()
    for feature in (*DEFAULT_SPEC.history, *DEFAULT_SPEC.context):
        assert f"| `{feature.name}` | {feature.unit} |" in text
    assert "| `network.hidden` | 48 |" in text
    assert "| `test_start` | unset |" in text
    assert "| best epoch | 9 |" in text
    assert "| torch | 2.13.0 |" in text
    assert "Opset 20" in text
    assert "2e-07" in text


def test_inputs_are_listed_by_what_they_are_computed_from() -> None:
    lines = card().splitlines()

    rows = {
        line.split("`")[1]: line for line in lines if line.startswith(("| results |", "| past", "| odds"))
    }
    assert rows["home_elo"].startswith("| results | context | ")
    assert rows["implied_supremacy"].startswith("| past odds | history | ")
    assert rows["corners_supremacy"].startswith("| past shots | context | ")
    assert rows["match_odds_p_draw"].startswith("| odds of the match itself | context | ")
    places = [
        lines.index(rows[name]) for name in ("home_elo", "odds_supremacy", "shots_for", "match_odds_p_home")
    ]
    assert places == sorted(places)


def test_the_limits_say_which_inputs_besides_results_the_model_has() -> None:
    assert "where they are on file, past odds, past shots, odds of the match itself; no line-ups" in card()
    only_results = DEFAULT_SPEC.model_copy(
        update={
            part: tuple(f for f in getattr(DEFAULT_SPEC, part) if f.group == "results")
            for part in ("history", "context")
        }
    )
    assert "It knows results, dates and leagues; no line-ups" in card(spec=only_results)


def test_a_refused_int8_variant_is_not_offered() -> None:
    text = card(export=EXPORT | {"int8": {"accepted": False, "reason": "It was not written."}})
    assert "There is no int8 variant (It was not written.)" in text


def test_data_are_summarised_by_league() -> None:
    keys = pl.DataFrame(
        {
            "league_id": ["eng.1", "es.1", "eng.1"],
            "is_played": [True, True, False],
            "kickoff_date": [date(2015, 1, 1), date(2015, 2, 1), date(2015, 9, 1)],
            "home_team_id": ["eng:A", "es:A", "eng:B"],
            "away_team_id": ["eng:B", "es:B", "eng:A"],
        }
    )
    assert summarise_data(keys) == DataSummary(
        2, 1, 4, date(2015, 1, 1), date(2015, 2, 1), [LeagueCount("eng.1", 1, 1), LeagueCount("es.1", 1, 0)]
    )


def test_library_versions_are_those_installed() -> None:
    assert set(library_versions()) == set(PACKAGES)
    assert library_versions()["polars"] == version("polars")


def test_the_card_of_a_bundle_is_markdown_without_holes(bundle: Path) -> None:
    text = (bundle / "model_card.md").read_text()
    assert text.startswith("# Football match forecaster\n")
    assert "None" not in text
    assert "nan" not in text
    for table in (part for part in text.split("\n\n") if part.startswith("|")):
        assert len({line.count("|") for line in table.splitlines()}) == 1


@pytest.mark.parametrize(
    "section", ["Data", "Scores on the test period", "Calibration", "Limits", "Use", "Packages"]
)
def test_the_card_has_the_section(section: str) -> None:
    assert f"\n## {section}\n" in card()
