"""Custom jobs of Vertex AI as a client of Dagster Pipes, through Vertex AI's REST API.

The package google-cloud-aiplatform is not used: none of its releases resolves beside this project's pins, and a job
needs three requests. google-auth authorises them. Nothing here has run against Google.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from dagster import (
    AssetExecutionContext,
    PipesBlobStoreMessageReader,
    PipesClient,
    PipesClientCompletedInvocation,
    PipesContextInjector,
    PipesEnvContextInjector,
    PipesMessageReader,
    open_pipes_session,
)
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from tenacity import retry, retry_if_exception, stop_after_delay, wait_exponential

from football_assets.errors import FootballError
from football_assets.storage.bucket import GCS_SCHEME, Bucket

if TYPE_CHECKING:
    from requests import Response, Session

SUCCEEDED = "JOB_STATE_SUCCEEDED"
ENDED = {
    SUCCEEDED,
    "JOB_STATE_FAILED",
    "JOB_STATE_CANCELLED",
    "JOB_STATE_EXPIRED",
    "JOB_STATE_PARTIALLY_SUCCEEDED",
}
_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
POLL_SECONDS = 15.0
_TIMEOUT_SECONDS = 60
_OUTAGE_SECONDS = 600  # for which the API may be unreachable while the job runs


class VertexJob(BaseModel):
    """The file that FOOTBALL_VERTEX_JOB names, like deploy/training/vertex.yaml."""

    model_config = ConfigDict(extra="forbid")

    project: str = Field(description="Google Cloud project that runs the job.")
    region: str = Field(description="Region of the job, like europe-west4.")
    endpoint: str | None = Field(None, description="Address of the API; default: that of the region.")
    job_spec: dict[str, Any] = Field(
        alias="jobSpec", description="CustomJobSpec of the API, with one worker pool of one replica."
    )

    @property
    def jobs_url(self) -> str:
        """Address of the jobs of the project in the region."""
        endpoint = self.endpoint or f"https://{self.region}-aiplatform.googleapis.com"
        return f"{endpoint}/v1/projects/{self.project}/locations/{self.region}/customJobs"

    def request(self, name: str, labels: Mapping[str, str], environment: Mapping[str, str]) -> dict[str, Any]:
        """Return the body that creates a job whose container also gets some variables."""
        pool = self.job_spec["workerPoolSpecs"][0]
        container = pool["containerSpec"]
        added = [{"name": key, "value": value} for key, value in environment.items()]
        pool = pool | {"containerSpec": container | {"env": [*container.get("env", []), *added]}}
        return {
            "displayName": name,
            "labels": dict(labels),
            "jobSpec": self.job_spec | {"workerPoolSpecs": [pool]},
        }


def read_job(path: Path) -> VertexJob:
    """Read the file of a job.

    Raises
    ------
    FootballError
        It is not one.
    """
    try:
        job = VertexJob.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
        job.request("", {}, {})
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ValidationError, LookupError, TypeError) as error:
        reason = " ".join(str(error).split())
        raise FootballError(
            f"FOOTBALL_VERTEX_JOB: {path} is not a job specification: {reason}. Copy deploy/training/vertex.yaml."
        ) from error
    return job


class PipesVertexClient(PipesClient):
    """Runs a custom job, waits for its end, and cancels it if the step is interrupted.

    Parameters
    ----------
    session
        Sends authorised requests.
    context_injector, message_reader
        How the job gets its context and sends its messages.
    poll_seconds
        Seconds between two requests for the job's state.
    """

    def __init__(
        self,
        session: "Session",
        context_injector: PipesContextInjector,
        message_reader: PipesMessageReader,
        poll_seconds: float = POLL_SECONDS,
    ) -> None:
        self._session, self._poll_seconds = session, poll_seconds
        self._injector, self._reader = context_injector, message_reader

    def run(  # type: ignore[override]
        self, *, context: AssetExecutionContext, job: VertexJob, extras: dict[str, Any] | None = None
    ) -> PipesClientCompletedInvocation:
        """Run a job.

        Parameters
        ----------
        context
            Of the step.
        job
            What to run.
        extras
            What the job reads by `PipesContext.get_extra`; JSON.

        Raises
        ------
        FootballError
            Vertex AI rejected the job, or it did not succeed.
        """
        with open_pipes_session(
            context=context,
            context_injector=self._injector,
            message_reader=self._reader,
            extras=extras,
        ) as session:
            labels = {"football-run": context.run_id}
            body = job.request(f"football-{context.run_id[:8]}", labels, session.get_bootstrap_env_vars())
            created = _checked(self._session.post(job.jobs_url, json=body, timeout=_TIMEOUT_SECONDS))
            url = f"{job.jobs_url}/{created['name'].rpartition('/')[2]}"
            context.log.info(f"Vertex AI runs {created['name']}")
            try:
                self._wait(url)
            except BaseException:
                self._session.post(
                    f"{url}:cancel", json={}, timeout=_TIMEOUT_SECONDS
                )  # no effect once it has ended
                raise
        return PipesClientCompletedInvocation(session)

    def _wait(self, url: str) -> None:
        """Wait for the end of a job."""
        while (state := self._state(url))["state"] not in ENDED:
            time.sleep(self._poll_seconds)
        if state["state"] != SUCCEEDED:
            reason = state.get("error", {}).get("message", "see its log in Google Cloud's console")
            raise FootballError(f"The job of Vertex AI ended as {state['state']}: {reason}.")

    @retry(
        retry=retry_if_exception(lambda error: isinstance(error, OSError | _Unavailable)),
        stop=stop_after_delay(_OUTAGE_SECONDS),
        wait=wait_exponential(max=30),
        reraise=True,
    )
    def _state(self, url: str) -> dict[str, Any]:
        return _checked(self._session.get(url, timeout=_TIMEOUT_SECONDS))


class _Unavailable(FootballError):
    """Vertex AI answered with an error of its own."""


def authorised_session() -> "Session":
    """Return a session with the application default credentials.

    Raises
    ------
    FootballError
        There are none.
    """
    import google.auth
    from google.auth.exceptions import DefaultCredentialsError
    from google.auth.transport.requests import AuthorizedSession

    try:
        credentials, _ = google.auth.default(scopes=[_SCOPE])
    except DefaultCredentialsError as error:
        raise FootballError(
            "Vertex AI needs Google credentials: run `gcloud auth application-default login`, or set "
            "GOOGLE_APPLICATION_CREDENTIALS."
        ) from error
    return AuthorizedSession(credentials)


class BucketMessageReader(PipesBlobStoreMessageReader):
    """Reads the messages that `PipesGCSMessageWriter` writes below a prefix of the bucket.

    The reader of dagster-gcp loads the client of Dataproc, and its messages lie beside the bucket's own objects.
    """

    def __init__(self, bucket: Bucket, prefix: str, interval: float) -> None:
        super().__init__(interval=interval)
        self._bucket, self._prefix = bucket, f"{prefix}/messages"

    @contextmanager
    def get_params(self) -> Iterator[dict[str, Any]]:
        """Yield the place of the messages."""
        name, _, root = self._bucket.url.removeprefix(GCS_SCHEME).partition("/")
        yield {"bucket": name, "key_prefix": f"{root}/{self._prefix}".strip("/")}

    def messages_are_readable(self, params: Mapping[str, Any]) -> bool:
        """Tell whether the place of the messages is known."""
        return "key_prefix" in params

    def download_messages_chunk(self, index: int, params: Mapping[str, Any]) -> str | None:
        """Return the messages of a number; None: they are not there yet."""
        name = f"{self._prefix}/{index}.json"
        return self._bucket.read(name).decode() if self._bucket.stat(name) is not None else None

    def no_messages_debug_text(self) -> str:
        """Return where messages were expected."""
        return f"Expected messages of PipesGCSMessageWriter below {self._prefix} in {self._bucket.url}."


def vertex_client(session: "Session", bucket: Bucket, prefix: str, poll_seconds: float) -> PipesVertexClient:
    """Return a client whose jobs send their messages below a prefix of the bucket.

    Raises
    ------
    FootballError
        The bucket is not one of Google Cloud Storage.
    """
    if not bucket.url.startswith(GCS_SCHEME):
        raise FootballError(
            f"A job of Vertex AI does not reach the bucket {bucket.url}: set FOOTBALL_BUCKET to gs://bucket/prefix."
        )
    reader = BucketMessageReader(bucket, prefix, min(poll_seconds, 5.0))
    return PipesVertexClient(session, PipesEnvContextInjector(), reader, poll_seconds)


def _checked(response: "Response") -> dict[str, Any]:
    if response.ok:
        answer: dict[str, Any] = response.json()
        return answer
    try:
        reason = response.json()["error"]["message"]
    except (ValueError, LookupError, TypeError):
        reason = response.reason
    kind = _Unavailable if response.status_code >= 500 or response.status_code == 429 else FootballError
    raise kind(f"Vertex AI answered {response.status_code}: {reason}")
