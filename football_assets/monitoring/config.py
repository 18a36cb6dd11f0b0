"""Windows and thresholds of the drift report. The core, the launchpad and the benchmark read them."""

from pydantic import BaseModel, ConfigDict, Field


class DriftConfig(BaseModel):
    """What is compared, and how much of a difference is drift.

    The thresholds were set on the seasons 2002-03 to 2009-10. `benchmarks/research/drift_seasons.py` measures them on
    later seasons.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    window_days: int = Field(30, ge=1, description="Days of logged predictions that are compared.")
    results_days: int = Field(
        90, ge=1, description="Days of logged predictions whose results are tested: results take longer."
    )
    least_predictions: int = Field(
        50,
        ge=2,
        description="Fewest forecast matches whose inputs are compared; with fewer the status is insufficient_data.",
    )
    least_results: int = Field(60, ge=2, description="Fewest results that are tested.")
    column_distance: float = Field(
        0.25,
        gt=0,
        description="Wasserstein distance from the reference, in its standard deviations, that makes a drifted column.",
    )
    noise: float = Field(
        2.5,
        ge=0,
        description="A distance below this times sqrt(2 / teams) is what windows of so few teams differ by.",
    )
    drift_share: float = Field(0.3, gt=0, le=1, description="Share of drifted columns that is drift.")
    broken_distance: float = Field(
        2.0, gt=0, description="Distance at which a single column is drift, at four times the noise."
    )
    quality_share: float = Field(
        0.1,
        gt=0,
        description="Share of values missing or out of range, beyond the reference's share, that is drift.",
    )
    significance: float = Field(
        0.01,
        gt=0,
        lt=1,
        description="Chance of a false alarm that the tests of one window's results share (Bonferroni).",
    )
    goals: float = Field(
        0.25, gt=0, description="Goals a match more or fewer than expected that matter, if they are certain."
    )
    home_advantage: float = Field(
        0.15, gt=0, description="The same of the home team's goal difference: home advantage."
    )
    outcomes: float = Field(
        0.05, gt=0, description="The same of the frequency of an outcome, as a difference of probabilities."
    )
    log_loss: float = Field(0.03, gt=0, description="The same of the log loss, above what was expected.")
    goals_spread: float = Field(
        0.1, ge=0, description="Standard deviation by which ordinary months miss the expected goals."
    )
    home_advantage_spread: float = Field(0.05, ge=0, description="The same of the home goal difference.")
    outcomes_spread: float = Field(0.015, ge=0, description="The same of the frequencies of outcomes.")
    log_loss_spread: float = Field(0.01, ge=0, description="The same of the log loss.")
    seed: int = Field(4, ge=0, description="Seed of the draw from the reference.")
