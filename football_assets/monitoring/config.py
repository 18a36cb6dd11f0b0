"""Windows and thresholds of the drift report. The core, the launchpad and the benchmark read them."""

from pydantic import BaseModel, ConfigDict, Field


class DriftConfig(BaseModel):
    """What is compared, and how much of a difference is drift.

    The thresholds were set on the seasons 2002-03 to 2009-10. `benchmarks/research/drift_seasons.py` measures them on
    later seasons.
    """

    # The report stores the thresholds as JSON, which has no infinity.
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    window_days: int = Field(30, ge=1, description="Days of logged predictions that are compared.")
    results_days: int = Field(
        90,
        ge=1,
        description="Days of logged predictions whose results are tested. More, since results come later.",
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
        description="Wasserstein distance from the reference, in its standard deviations, above which a column has "
        "drifted.",
    )
    noise: float = Field(
        2.5,
        ge=0,
        description="Distances below this value times sqrt(2 / teams) are noise of a window with so few teams.",
    )
    drift_share: float = Field(
        0.3, gt=0, le=1, description="Share of drifted columns above which the status is drift."
    )
    broken_distance: float = Field(
        2.0,
        gt=0,
        description="Distance at which one column alone makes the status drift, if it is four times the noise.",
    )
    quality_share: float = Field(
        0.1,
        gt=0,
        description="Share of missing or out-of-range values above the reference's share that is drift.",
    )
    significance: float = Field(
        0.01,
        gt=0,
        lt=1,
        description="Probability of a false alarm over all tests of a window's results (Bonferroni).",
    )
    goals: float = Field(
        0.25,
        gt=0,
        description="Significant deviation of the mean goals per match from the forecasts that is drift.",
    )
    home_advantage: float = Field(
        0.15, gt=0, description="Likewise for the home team's goal difference, the home advantage."
    )
    outcomes: float = Field(
        0.05, gt=0, description="Likewise for the frequency of an outcome, as a difference of probabilities."
    )
    log_loss: float = Field(0.03, gt=0, description="Likewise for the log loss above its expectation.")
    goals_spread: float = Field(
        0.1, ge=0, description="Standard deviation of the goals around their expectation in ordinary months."
    )
    home_advantage_spread: float = Field(0.05, ge=0, description="Likewise for the home goal difference.")
    outcomes_spread: float = Field(0.015, ge=0, description="Likewise for the frequencies of outcomes.")
    log_loss_spread: float = Field(0.01, ge=0, description="Likewise for the log loss.")
    seed: int = Field(4, ge=0, description="Seed of the sample of the reference.")
