"""Every environment variable of the project with its type, default and unit."""

import os
import re
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationInfo, field_validator
from pydantic_core import PydanticUseDefault
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

MIN_KEY_LENGTH = 8


def _off_is_none(value: Any) -> Any:
    return None if isinstance(value, str) and value.strip().lower() == "off" else value


def _split_paths(value: Any) -> Any:
    return [part for part in value.split(os.pathsep) if part.strip()] if isinstance(value, str) else value


def _split_keys(value: SecretStr | None) -> tuple[str, ...]:
    parts = "" if value is None else value.get_secret_value()
    return tuple(key.strip() for key in parts.split(",") if key.strip())


def _checked_url(value: str) -> str:
    url = value.strip()
    if not re.match(r"https?://[^/\s]+", url, re.IGNORECASE):
        raise ValueError("it does not begin with http:// or https:// and a host")
    return url


Paths = Annotated[tuple[Path, ...], NoDecode, BeforeValidator(_split_paths)]
"""Files and folders; in the environment separated as in PATH."""

Limit = Annotated[int | None, BeforeValidator(_off_is_none)]
"""A limit of the retention; None, in the environment `off`: everything is kept."""

Url = Annotated[str, AfterValidator(_checked_url), Field(json_schema_extra={"format": "uri"})]
"""Address of another server."""

MOST_DAYS = 36_500
MOST_PERIOD_SECONDS = 86_400


class Settings(BaseSettings):
    """Configuration from the environment.

    Each field is the variable `FOOTBALL_<FIELD>`. A blank variable counts as unset, except FOOTBALL_API_KEY.
    """

    model_config = SettingsConfigDict(env_prefix="FOOTBALL_", extra="ignore", hide_input_in_errors=True)

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
        None, min_length=MIN_KEY_LENGTH, description="Key that the HTTP endpoint requires; unset: none."
    )
    api_keys: SecretStr | None = Field(
        None,
        description="Further keys that the HTTP endpoint accepts, one for each client, separated by commas, of at "
        "least 8 characters each; needs FOOTBALL_API_KEY.",
    )
    serve_without_key: bool = Field(
        False,
        description="Whether the HTTP endpoint may listen beyond loopback without FOOTBALL_API_KEY.",
    )
    rate_limit: float = Field(
        100,
        ge=0,
        le=1_000_000,
        description="Requests per second of each key, and of each address without a valid key, that the HTTP endpoint "
        "answers in the long run; others get 429. 0: no limit.",
    )
    rate_burst: int = Field(
        1000,
        ge=1,
        le=1_000_000,
        description="Requests that FOOTBALL_RATE_LIMIT allows at once after a pause: at most those of a day.",
    )
    serve_api: Url | None = Field(
        None,
        description="Address of Ray's dashboard, which has Serve's REST API, where Serve runs elsewhere. Default: the "
        "`football serve` of this home.",
    )
    serve_token: SecretStr | None = Field(None, description="Ray's token for FOOTBALL_SERVE_API.")
    serve_ray_service: str | None = Field(
        None,
        pattern=r"^[a-z0-9-]+/[a-z0-9-]+$",
        description="RayService, as namespace/name, whose Secret has Ray's token; unset: FOOTBALL_SERVE_TOKEN.",
    )
    signing_key: Path | None = Field(
        None,
        description="PEM file of the elliptic curve private key that signs each registered model version; unset: "
        "versions are not signed.",
    )
    verify_keys: Paths | None = Field(
        None,
        description="PEM files of public keys, or folders of them, separated as in PATH. Only model versions signed "
        "with one of the keys are loaded. Default: the key of FOOTBALL_SIGNING_KEY, else every version is loaded.",
    )
    sigstore_sign: bool = Field(
        False,
        description="Whether model versions are signed with Sigstore and the identity of the machine, without a key; "
        "needs FOOTBALL_SIGSTORE_IDENTITY.",
    )
    sigstore_identity: str | None = Field(
        None,
        description="Identity, such as an email address, whose Sigstore signatures of model versions are accepted; "
        "needs FOOTBALL_SIGSTORE_ISSUER.",
    )
    sigstore_issuer: str | None = Field(
        None, description="OpenID Connect issuer of FOOTBALL_SIGSTORE_IDENTITY."
    )
    sigstore_trust: Path | None = Field(
        None,
        description="Client trust configuration (JSON) of a private Sigstore; unset: the public instance.",
    )
    commit: str | None = Field(
        None,
        description="Commit of the code, which the provenance of a model version names. Default: that of the clone.",
    )
    training_cpus: int = Field(4, ge=1, description="CPUs of the pod of a run that trains, on Kubernetes.")
    training_memory_gib: int = Field(
        8, ge=1, description="Memory of the pod of a run that trains, on Kubernetes, in GiB."
    )
    training_gpus: int = Field(0, ge=0, description="GPUs of the pod of a run that trains, on Kubernetes.")
    training_image: str | None = Field(
        None,
        description="Image of the pod of a run that trains, on Kubernetes; unset: that of the code location.",
    )
    ray_cluster: Path | None = Field(
        None,
        description="Manifest of a RayCluster, like deploy/training/raycluster.yaml: each `sweep`, and each "
        "`trained_lstm` with several workers, creates a cluster of its own on Kubernetes and deletes it at its end. "
        "Default: RAY_ADDRESS, or this machine.",
    )
    vertex_job: Path | None = Field(
        None,
        description="File like deploy/training/vertex.yaml: each `trained_lstm` with one worker trains in a job of "
        "Vertex AI. Default: in Dagster's process.",
    )
    openfootball_url: Url = Field(
        "https://raw.githubusercontent.com/openfootball/football.json/master",
        description="Where `football sync openfootball` finds the folders of the seasons.",
    )
    footballcsv_url: Url = Field(
        "https://raw.githubusercontent.com/footballcsv/cache.footballdata/master",
        description="Where `football sync footballcsv` finds the folders of the seasons.",
    )
    football_data_url: Url = Field(
        "https://www.football-data.co.uk/mmz4281",
        description="Where `football sync football-data` finds the folders of the seasons.",
    )
    football_data_extra_url: Url = Field(
        "https://www.football-data.co.uk/new",
        description="Where `football sync football-data-extra` finds the files, one per country.",
    )
    webhook_url: SecretStr | None = Field(
        None,
        description="URL that receives a POST with JSON about each failed run; unset: failures are only logged.",
    )
    retrain_window_days: float = Field(
        7, gt=0, le=MOST_DAYS, description="Days in which drift or age trigger at most one retraining."
    )
    model_max_age_days: float = Field(
        30,
        gt=0,
        le=MOST_DAYS,
        description="Days of landed results after a model's last training match before it is retrained.",
    )
    wandb_project: str | None = Field(
        None,
        description="Weights & Biases project that training logs to; unset: no logging. "
        "WANDB_API_KEY or WANDB_MODE=offline must be set too.",
    )
    wandb_entity: str | None = Field(
        None, description="Weights & Biases entity (user or team) of the project."
    )
    git_url: str | None = Field(
        None,
        pattern=r"^https?://[^/]*(github|gitlab)",
        description="Repository on GitHub or GitLab that the Dagster UI links to; unset: local files.",
    )
    git_branch: str = Field("main", description="Branch or tag that links to FOOTBALL_GIT_URL name.")

    retention_log_days: Limit = Field(
        400,
        ge=91,
        le=MOST_DAYS,
        description="Days that tables and rejected lines of the prediction log are kept, more than the drift report "
        "reads; off: for ever.",
    )
    retention_versions: Limit = Field(
        20, ge=1, description="Newest model versions that are kept without an alias; off: all."
    )
    retention_version_days: int = Field(
        91,
        ge=1,
        le=MOST_DAYS,
        description="Days that every model version is kept, and that a version is kept after its last forecast.",
    )
    retention_artifact_days: Limit = Field(
        7,
        ge=1,
        le=MOST_DAYS,
        description="Days that an artifact is kept that no pointer names any more; off: for ever.",
    )
    retention_report_days: Limit = Field(
        400, ge=1, le=MOST_DAYS, description="Days that summaries of drift reports are kept; off: for ever."
    )
    retention_run_days: Limit = Field(
        90,
        ge=1,
        le=MOST_DAYS,
        description="Days that Dagster's runs, their events and compute logs are kept after their end, at "
        "least 30 and FOOTBALL_RETRAIN_WINDOW_DAYS; off: for ever.",
    )
    retention_scratch_hours: Limit = Field(
        48,
        ge=24,
        le=24 * MOST_DAYS,
        description="Hours that scratch files are kept after they were last written; off: for ever.",
    )

    @field_validator("*", mode="before")
    @classmethod
    def _blank_is_unset(cls, value: object, info: ValidationInfo) -> object:
        # A blank key is invalid instead: unset, it would open the endpoint to everybody.
        if isinstance(value, str) and not value.strip() and info.field_name != "api_key":
            raise PydanticUseDefault
        return value

    @field_validator("api_key", mode="before")
    @classmethod
    def _check_key(cls, value: object) -> object:
        # Before `min_length`, whose message counts "items".
        if isinstance(value, str) and len(value.strip()) < MIN_KEY_LENGTH:
            raise ValueError(f"the key has less than {MIN_KEY_LENGTH} characters")
        return value

    @field_validator("rate_limit")
    @classmethod
    def _check_rate(cls, value: float) -> float:
        if 0 < value < 1 / MOST_PERIOD_SECONDS:
            raise ValueError("it is less than one request per day; 0 means no limit")
        return value

    @field_validator("rate_burst")
    @classmethod
    def _check_period(cls, value: int, info: ValidationInfo) -> int:
        """Limit the time over which requests are counted."""
        rate = info.data.get("rate_limit")
        if rate and value / rate > MOST_PERIOD_SECONDS:
            most = max(1, int(rate * MOST_PERIOD_SECONDS))
            raise ValueError(f"with FOOTBALL_RATE_LIMIT={rate:g} at most {most} requests, those of a day")
        return value

    @field_validator("webhook_url")
    @classmethod
    def _check_webhook(cls, value: SecretStr | None) -> SecretStr | None:
        return None if value is None else SecretStr(_checked_url(value.get_secret_value()))

    @field_validator("api_keys")
    @classmethod
    def _check_further_keys(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if value is not None and "api_key" in info.data and info.data["api_key"] is None:
            raise ValueError("it needs FOOTBALL_API_KEY: set both, or FOOTBALL_API_KEY alone")
        if any(len(key) < MIN_KEY_LENGTH for key in _split_keys(value)):
            raise ValueError(f"a key has less than {MIN_KEY_LENGTH} characters")
        return value

    @property
    def keys(self) -> tuple[str, ...]:
        """Return every key that the HTTP endpoint accepts; empty: it requires none."""
        first = () if self.api_key is None else (self.api_key.get_secret_value(),)
        return (*first, *_split_keys(self.api_keys))

    @property
    def bucket_url(self) -> str:
        """Return the URL or absolute folder of the bucket."""
        if not self.bucket:
            return str(self.home.resolve() / "bucket")
        folder = self.bucket.removeprefix("file://")
        return folder if "://" in folder else str(Path(folder).expanduser().absolute())

    @property
    def dagster_home(self) -> Path:
        """Return the default of DAGSTER_HOME: runs, event log, schedules."""
        return self.home.resolve() / "dagster"

    @property
    def scratch(self) -> Path:
        """Return the folder of files that may be deleted at any time."""
        return self.home.resolve() / "scratch"


def get_settings() -> Settings:
    """Read the settings from the environment.

    Raises
    ------
    pydantic.ValidationError
        A variable has an invalid value.
    """
    return Settings()
