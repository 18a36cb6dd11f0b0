"""How long what is kept: the limits of a pruning."""

from pydantic import BaseModel, ConfigDict, Field

from football_assets.settings import Settings


class RetentionPolicy(BaseModel):
    """Limits; None: everything of that kind is kept. The settings `FOOTBALL_RETENTION_*` describe each."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    log_days: int | None = Field(400, ge=91)
    versions: int | None = Field(20, ge=1)
    version_days: int = Field(91, ge=1)
    artifact_days: int | None = Field(7, ge=1)
    report_days: int | None = Field(400, ge=1)
    run_days: int | None = Field(90, ge=1)
    scratch_hours: int | None = Field(48, ge=24)

    @classmethod
    def of(cls, settings: Settings) -> "RetentionPolicy":
        """Return the policy that the environment configures."""
        return cls(**{name: getattr(settings, f"retention_{name}") for name in cls.model_fields})
