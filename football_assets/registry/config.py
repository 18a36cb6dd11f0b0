"""The configuration of the promotion gate and the names of its references, for the gate and the launchpad."""

from pydantic import BaseModel, ConfigDict, Field

CLASS_PRIOR = "class prior"
ELO = "Elo baseline"
PRODUCTION = "production model"


class GateConfig(BaseModel):
    """The tolerance and the bootstrap of the promotion gate."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tolerance: float = Field(
        0.005,
        ge=0,
        description="Mean log loss per match by which a candidate may be worse than Elo or the production model.",
    )
    confidence: float = Field(0.95, gt=0, lt=1, description="Coverage of the bootstrap interval.")
    resamples: int = Field(2000, ge=100, description="Bootstrap samples of league-weeks.")
    seed: int = Field(
        20, ge=0, description="Seed of the bootstrap: the same forecasts always get the same decision."
    )
    least_days: int = Field(5, ge=2, description="Fewest calendar days of a comparison.")
