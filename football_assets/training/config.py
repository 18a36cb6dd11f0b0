"""All knobs of training in one typed object, shown by the Dagster launchpad and stored with every model."""

from datetime import date

from pydantic import BaseModel, ConfigDict, Field


class NetworkConfig(BaseModel):
    """Shape of the network."""

    model_config = ConfigDict(extra="forbid")

    hidden: int = Field(32, ge=1, description="Width of the LSTM's state.")
    layers: int = Field(1, ge=1, le=4, description="LSTM layers.")
    trunk: int = Field(32, ge=1, description="Width of the layer that joins both teams and the context.")
    dropout: float = Field(0.3, ge=0, lt=1, description="Share of activations dropped while training.")


class SplitConfig(BaseModel):
    """Consecutive periods: train, validation, test. Shares of the played matches; days are never divided."""

    model_config = ConfigDict(extra="forbid")

    validation_share: float = Field(
        0.15, gt=0, lt=1, description="Share of the played matches before the test period."
    )
    test_share: float = Field(0.15, ge=0, lt=1, description="Share of the played matches at the end.")
    validation_start: date | None = Field(None, description="First day of validation; overrides the share.")
    test_start: date | None = Field(None, description="First day of the test period; overrides the share.")
    burn_in_days: int = Field(
        180, ge=0, description="Days at the start whose matches are history only: ratings have not settled."
    )


class TrainingConfig(BaseModel):
    """How the network is fitted."""

    model_config = ConfigDict(extra="forbid")

    network: NetworkConfig = NetworkConfig()
    split: SplitConfig = SplitConfig()
    epochs: int = Field(12, ge=1, description="Passes over the training matches at most.")
    patience: int = Field(4, ge=1, description="Epochs without a better validation log loss before stopping.")
    batch_size: int = Field(
        1024, ge=1, description="Matches a step at most; fewer where the training period is short."
    )
    learning_rate: float = Field(1e-3, gt=0, description="Peak of the one-cycle schedule.")
    weight_decay: float = Field(0.1, ge=0, description="AdamW's decoupled weight decay.")
    averaging: float = Field(
        0.99,
        ge=0,
        lt=1,
        description="Share that the running mean of the weights keeps at each step; it is what is kept.",
    )
    goals_weight: float = Field(
        0.5, ge=0, description="Weight of the goals' Poisson loss beside the outcome's log loss."
    )
    seed: int = Field(7, description="Seed of initial weights, dropout and batch order.")
