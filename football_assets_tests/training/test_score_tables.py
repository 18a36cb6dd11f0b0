"""Tables of scores as text."""

from typing import Any

from football_assets.training.score_tables import (
    TIER_COLUMNS,
    confusion_table,
    describe_tiers,
    league_table,
    scores_table,
    tier_table,
)

SCORES = {"log_loss": 1.01234, "rps": 0.2012, "brier": 0.6, "accuracy": 0.51, "ece": 0.0123}
TIERS: list[dict[str, Any]] = [
    {"tier": "results", "matches": 12345, "reference": "results", **SCORES},
    {
        "tier": "results+odds",
        "matches": 12345,
        "reference": "results",
        **(SCORES | {"log_loss": 1.0001, "rps": 0.1987, "ece": 0.0045}),
        "difference": {
            "log_loss": {"value": -0.01224, "low": -0.0141, "high": -0.0107},
            "rps": {"value": 0.5, "low": 0.4, "high": 0.6},
        },
    },
]


def test_scores_are_shown_as_a_table_of_forecasters() -> None:
    row = {"log_loss": 1.0, "rps": 0.2, "brier": 0.6, "accuracy": 0.5, "ece": 0.01}

    lines = scores_table({"LSTM": row, "bookmaker": {**row, "matches": 3.0}}).splitlines()

    assert lines[2] == "| LSTM | 1.0000 | 0.2000 | 0.6000 | 0.5000 | 0.0100 |"
    assert len(lines) == 4


def test_a_tier_has_its_scores_and_its_difference_in_thousandths_from_its_reference() -> None:
    found = describe_tiers(TIERS)

    assert found == [
        ("results", "12,345", "1.0123", "0.2012", "0.0123", ""),
        ("results + past odds", "12,345", "1.0001", "0.1987", "0.0045", "-12.2 [-14.1, -10.7] to results"),
    ]
    assert all(len(row) == len(TIER_COLUMNS) for row in found)
    assert tier_table(TIERS).splitlines()[3] == f"| {' | '.join(found[1])} |"


def test_leagues_have_their_scores_beside_elos() -> None:
    row = {"league_id": "eng.1", "matches": 380, **SCORES, "elo_log_loss": 1.0222}

    assert league_table([row]).splitlines()[2] == "| eng.1 | 380 | 1.0123 | 1.0222 | 0.2012 | 0.510 |"


def test_the_confusion_has_a_row_for_each_outcome_that_happened() -> None:
    lines = confusion_table([[4, 1, 2], [3, 5, 6], [7, 8, 9]]).splitlines()

    assert [line.replace(" ", "") for line in lines[2:]] == [
        "|homewin|4|1|2|",
        "|draw|3|5|6|",
        "|awaywin|7|8|9|",
    ]
