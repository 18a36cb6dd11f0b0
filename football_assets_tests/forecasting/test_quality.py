"""What the checks of the forecasts find."""

import polars as pl
import pytest

from football_assets.forecasting.quality import forecasts_out_of_range, unplayed_without_forecast

GOOD = {"match_id": "a", "p_home": 0.5, "p_draw": 0.3, "p_away": 0.2, "xg_home": 1.4, "xg_away": 0.9}


@pytest.mark.parametrize(
    "changes",
    [
        {"p_home": 0.51},
        {"p_home": 1.2, "p_draw": -0.4},
        {"p_home": float("nan")},
        {"p_draw": None},
        {"xg_home": float("inf")},
        {"xg_home": float("nan")},
        {"xg_away": 0.0},
        {"xg_away": None},
    ],
)
def test_a_broken_forecast_is_found(changes: dict[str, float | None]) -> None:
    frame = pl.DataFrame([GOOD, GOOD | {"match_id": "b"} | changes], infer_schema_length=None)
    assert forecasts_out_of_range(frame)["match_id"].to_list() == ["b"]


def test_a_match_without_result_and_forecast_is_found() -> None:
    matches = pl.DataFrame({"match_id": ["a", "b", "c"], "is_played": [False, False, True]})
    assert unplayed_without_forecast(pl.DataFrame([GOOD]), matches)["match_id"].to_list() == ["b"]
