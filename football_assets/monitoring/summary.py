"""The drift report in short: what the report, its checks, the drift sensor and serving's metrics share."""

from datetime import date, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from football_assets.errors import ObjectNotFound
from football_assets.storage.bucket import Bucket

REPORT = "reports/drift/latest.html"
LATEST = "reports/drift/latest.json"
HISTORY = "reports/drift/history/"

Area = Literal["inputs", "quality", "outcomes", "scores"]
Status = Literal["ok", "drift", "insufficient_data"]
_STATUS_BEFORE = {"quiet": "insufficient_data"}  # as stored reports spelled it
AREAS: tuple[Area, ...] = ("inputs", "quality", "outcomes", "scores")


class Finding(BaseModel):
    """One area's verdict. `drifted` None: there is insufficient data, and `note` says what is missing."""

    model_config = ConfigDict(frozen=True)

    area: Area
    drifted: bool | None
    note: str


class DriftSummary(BaseModel):
    """The latest drift report. Scores are of results that came after the forecast."""

    model_config = ConfigDict(frozen=True, protected_namespaces=())

    made_at: datetime = Field(description="UTC.")
    window_start: datetime = Field(description="Predictions logged from here on were compared.")
    window_end: datetime
    results_since: datetime = Field(description="Predictions logged from here on were tested on results.")
    model_version: int | None = Field(description="Version in production; None: there is none.")
    model_published: datetime | None
    model_as_of: date | None = Field(description="Day of the last result that the model knows.")
    newest_result: date | None = Field(description="Day of the last result that has landed.")
    model_age_days: int | None = Field(description="Days from the one to the other: 0 for a fresh model.")
    unlearnt_days: int | None = Field(
        None, description="Days of landed results that no version knows, in production or not."
    )
    predictions: int = Field(description="Matches of the fixture lists forecast in the window, each once.")
    custom_histories: int = Field(0, description="Custom histories forecast in the window; not compared.")
    unlisted: int = Field(0, description="Matches on no fixture list forecast in the window; not compared.")
    given_odds: int = Field(
        0, description="Matches forecast in the window with odds that the request gave; not compared."
    )
    results: int = Field(description="Matches forecast since `results_since` whose result is known.")
    status: Status
    reasons: list[str] = Field(description="Why the status is drift or insufficient_data.")
    findings: list[Finding]
    feeds: list[str] = Field(
        default=[],
        description="What is missing of the feeds of odds and of shots, in sentences; no reason to train.",
    )
    stopped_feeds: dict[str, int] = Field(
        default={}, description="Leagues in which a feed stopped, by feed: `odds`, `shots`."
    )
    drifted_columns: list[str]
    drift_share: float | None = Field(description="Share of the compared columns that drifted.")
    live_log_loss: float | None
    live_rps: float | None
    expected_log_loss: float | None = Field(
        description="Log loss on the reference, weighted as the results are."
    )
    calibration_error: float | None = Field(
        description="Classwise expected calibration error of the results."
    )
    thresholds: dict[str, float] = Field(description="The configuration behind the verdict.")

    @field_validator("status", mode="before")
    @classmethod
    def _read_earlier_status(cls, value: Any) -> Any:
        return _STATUS_BEFORE.get(value, value) if isinstance(value, str) else value

    def finding(self, area: Area) -> Finding:
        """Return the verdict about an area."""
        return next(finding for finding in self.findings if finding.area == area)


def save_summary(bucket: Bucket, summary: DriftSummary) -> None:
    """Store a summary as the latest and in the history."""
    data = summary.model_dump_json(indent=1).encode()
    bucket.write(f"{HISTORY}{summary.made_at:%Y-%m-%dT%H%M%S.%fZ}.json", data)
    bucket.write(LATEST, data)


def load_summary(bucket: Bucket) -> DriftSummary | None:
    """Read the latest summary; None before the first report."""
    try:
        return DriftSummary.model_validate_json(bucket.read(LATEST))
    except ObjectNotFound:
        return None
