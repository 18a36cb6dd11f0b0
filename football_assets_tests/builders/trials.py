"""Trials of a sweep with scores that the test chooses."""

from football_assets.training.config import SplitConfig, SweepConfig, TrainingConfig
from football_assets.training.fit import Epoch
from football_assets.tuning.trials import DRAWN, Trial

# No trial is stopped early: which ones would be depends on who is quicker.
SWEEP = SweepConfig(
    trials=6, minutes=5, grace_epochs=4, final_seeds=2, epochs=4, split=SplitConfig(burn_in_days=0)
)


def a_trial(
    number: int, *losses: float, epochs: int = 12, origin: str = DRAWN, failure: str | None = None
) -> Trial:
    found = [Epoch(1 + i, loss, loss, 1.0, 0.1, 0.0) for i, loss in enumerate(losses)]
    return Trial(number, origin, TrainingConfig(epochs=epochs), found, failure)
