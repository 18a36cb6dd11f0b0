"""A rival from elsewhere: one class with four names and a method takes part in a comparison."""

from dataclasses import dataclass
from datetime import date

import numpy as np
import pytest

from football_assets.comparison.comparison import compare_forecasters
from football_assets.comparison.rival import Rival, RivalForecasts, RivalKind, RivalProgress
from football_assets.sequences.tensors import SequenceTensors
from football_assets.training.split import TimeSplit
from football_assets_tests.builders.planted import SMALL, planted_tensors


@dataclass(frozen=True)
class HomeFan:
    """Forecasts a home win at 80 per cent, and nothing on the first match."""

    kind: RivalKind
    name: str = "home fan"
    key: str = "home_fan"
    package: str | None = None

    def forecast(
        self,
        tensors: SequenceTensors,
        split: TimeSplit,
        rows: np.ndarray,
        progress: RivalProgress | None = None,
    ) -> RivalForecasts:
        probabilities = np.tile([0.8, 0.1, 0.1], (len(rows), 1))
        probabilities[0] = np.nan
        if progress is not None:
            progress(1, 1)
        return RivalForecasts(probabilities, "The home fan is sure.")


@pytest.mark.parametrize(("kind", "first"), [("model", "the class prior"), ("published", None)])
def test_a_rival_has_its_columns_its_row_its_note_and_its_progress(
    kind: RivalKind, first: str | None
) -> None:
    fan: Rival = HomeFan(kind)
    seen: list[tuple[str, int, int]] = []

    found = compare_forecasters(
        planted_tensors(),
        date(2015, 9, 1),
        config=SMALL,
        rivals=[fan],
        progress=lambda *step: seen.append(step),
    )

    homes = found.forecasts["home_fan_p_home"]
    assert (homes[1:] == 0.8).all()
    assert ("home fan", 1, 1) in seen
    block = next(block for block in found.blocks if "home fan" in [row.forecaster for row in block.rows])
    if first is None:
        assert homes[0] is None
        assert block.name == "matches of home fan"
        assert block.matches == len(homes) - 1
        assert found.notes == ["The home fan is sure."]
    else:
        # Without a forecast a model gets the frequencies of the training period.
        played = planted_tensors().outcome[found.backtest.split.train]
        assert homes[0] == pytest.approx((played == 0).mean())
        assert block.name == "all matches"
        assert found.notes[1] == "home fan: 1 matches without a forecast get the class prior."
