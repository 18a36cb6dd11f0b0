"""How long what is kept: the limits of a pruning."""

from math import ceil

from pydantic import BaseModel, ConfigDict, Field

from football_assets.errors import FootballError
from football_assets.settings import Settings

LEAST_RUN_DAYS = 30
"""Days that runs are kept at least: sensors count failed attempts by the runs that there are."""


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
        """Return the policy that the environment configures.

        Raises
        ------
        FootballError
            Runs are kept for less long than the sensors count them: a training could start again for ever.
        """
        least = max(LEAST_RUN_DAYS, settings.retrain_window_days)
        if settings.retention_run_days is not None and settings.retention_run_days < least:
            raise FootballError(
                f"FOOTBALL_RETENTION_RUN_DAYS={settings.retention_run_days} is not usable: sensors count failed "
                "attempts and trainings by the runs that there are (FOOTBALL_RETRAIN_WINDOW_DAYS="
                f"{settings.retrain_window_days:g}). Set at least {ceil(least)}, or off."
            )
        return cls(**{name: getattr(settings, f"retention_{name}") for name in cls.model_fields})
