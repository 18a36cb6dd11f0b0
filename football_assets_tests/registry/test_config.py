"""The configuration of the promotion gate."""

import pytest
from pydantic import ValidationError

from football_assets.registry.config import GateConfig


@pytest.mark.parametrize(
    "changes",
    [{"tolerance": -0.001}, {"confidence": 1.0}, {"resamples": 99}, {"least_days": 1}, {"margin": 0.1}],
)
def test_a_value_out_of_range_or_of_an_unknown_name_is_rejected(changes: dict[str, float]) -> None:
    with pytest.raises(ValidationError, match=next(iter(changes))):
        GateConfig.model_validate(changes)


def test_the_configuration_cannot_be_changed_once_the_gate_has_it() -> None:
    config = GateConfig(tolerance=0.01)

    with pytest.raises(ValidationError, match="frozen"):
        config.tolerance = 0.02  # type: ignore[misc]
    assert (config.tolerance, config.confidence) == (0.01, 0.95)
