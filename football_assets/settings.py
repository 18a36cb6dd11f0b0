"""Every environment variable of the project, typed, with its default and unit, for CLI, definitions and serving."""

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Configuration from the environment. Each field is the variable `FOOTBALL_<FIELD>`."""

    model_config = SettingsConfigDict(env_prefix="FOOTBALL_", extra="ignore")

    home: Path = Field(
        Path("football_home"), description="Folder of the local bucket, Dagster's storage and scratch files."
    )
    bucket: str | None = Field(
        None,
        description="Object store holding all durable state: a folder or gs://bucket/prefix. Default: <home>/bucket.",
    )
    host: str = Field("127.0.0.1", description="Address that the Dagster UI listens on.")
    port: int = Field(3000, ge=1, le=65535, description="TCP port of the Dagster UI.")
    serve_host: str = Field("127.0.0.1", description="Address that the HTTP endpoint listens on.")
    serve_port: int = Field(8000, ge=1, le=65535, description="TCP port of the HTTP endpoint.")
    api_key: SecretStr | None = Field(
        None, min_length=8, description="Key that the HTTP endpoint asks for; unset: none."
    )
    wandb_project: str | None = Field(
        None,
        description="Weights & Biases project that training logs to; unset: no logging. "
        "WANDB_API_KEY or WANDB_MODE=offline must be set too.",
    )
    wandb_entity: str | None = Field(
        None, description="Weights & Biases entity (user or team) of the project."
    )

    @property
    def bucket_url(self) -> str:
        """URL or absolute folder of the bucket."""
        return self.bucket if self.bucket else str(self.home.resolve() / "bucket")

    @property
    def dagster_home(self) -> Path:
        """DAGSTER_HOME of this home: runs, event log, schedules."""
        return self.home.resolve() / "dagster"

    @property
    def scratch(self) -> Path:
        """Folder for files that may be deleted at any time."""
        return self.home.resolve() / "scratch"


def get_settings() -> Settings:
    """Read the environment anew."""
    return Settings()
