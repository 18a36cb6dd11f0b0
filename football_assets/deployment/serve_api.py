"""Ray Serve's REST API: what each application is configured to serve, and whether every replica answers from it.

The desired state is the alias `production` of the registry, and replicas follow it by themselves. `serving_deployment`
verifies that they do. A replica that lags is reloaded: a new value of `reload` in `user_config` makes Serve reconfigure
all replicas one after the other, while they answer, and each loads the version at once. A replica that cannot load it
keeps its old version. Serve does not report this, but `GET /health` of the replica does.

A version number, or another alias, in `user_config` was set by a person and is not changed.
"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import httpx

from football_assets.deployment.serve_state import (
    ANSWER_SECONDS,
    RELOAD,
    Application,
    DeploymentFailed,
    Health,
    ServeState,
    ask_replicas,
    config_with,
    read_state,
)
from football_assets.runtime.http import http_client
from football_assets.runtime.serve_discovery import ServeAddress, ServeUnreachable

APPLICATIONS = "/api/serve/applications/"
FOLLOW_SECONDS = 15.0  # replicas that have not followed the alias by then are reloaded
_POLL_SECONDS = 0.25
_FAILED = ("DEPLOY_FAILED", "UNHEALTHY")


@dataclass(frozen=True)
class Verified:
    """Versions that all replicas answer from, by application. `reloaded`: those that were reloaded."""

    versions: dict[str, int]
    reloaded: tuple[str, ...]
    replicas: int
    seconds: float


class ServeApi:
    """The REST API at an address.

    Parameters
    ----------
    address
        From `serve_address.find_serve`.
    timeout
        Seconds that one request may take.

    Example
    -------
    >>> ServeApi(find_serve(get_settings())).verify(registry.resolve)
    """

    def __init__(self, address: ServeAddress, timeout: float = 10.0) -> None:
        self._address = address
        self._timeout = timeout

    def state(self) -> ServeState:
        """Read the applications of Serve and their configuration.

        Raises
        ------
        ServeUnreachable
            Nothing answers, the token is rejected, or there is no forecaster.
        """
        return read_state(self._details(), self._address.url)

    def health(self, application: Application) -> dict[str, Health]:
        """Read the health of an application's replicas; the load balancer may omit one while it changes.

        An application without a replica is not asked: a request would start one. No request begins once the timeout of
        this client has passed.
        """
        answers: dict[str, Health] = {}
        if not application.answering:
            return answers
        for answer in ask_replicas(application, min(self._timeout, ANSWER_SECONDS), self._timeout):
            answers[answer.replica] = answer
            if len(answers) >= len(application.answering):
                break
        return answers

    def verify(
        self,
        resolve: Callable[[int | str], int],
        patience: float = 120.0,
        follow_seconds: float = FOLLOW_SECONDS,
    ) -> Verified:
        """Wait until every replica answers from what its application is configured to serve; reload those that lag.

        Parameters
        ----------
        resolve
            Number of a version or alias, read repeatedly: an alias may move meanwhile.
        patience
            Seconds until every replica must answer from it.
        follow_seconds
            Seconds after which an application with a replica that lags is reloaded. One with a replica that could not
            load the version is reloaded at once.

        Raises
        ------
        ServeUnreachable
            As of `state`.
        DeploymentFailed
            A replica cannot load the version, or did not in time. It goes on with its old one.
        """
        started = time.monotonic()
        rounds: dict[str, _Round] = {}
        reloaded: dict[str, str] = {}
        while True:
            applications = self._state_until(started + patience).applications
            for item in applications:
                version = resolve(item.wanted)
                last = rounds.get(item.name)
                if last is None or (last.version, last.replicas) != (version, item.answering):
                    last = _Round(version, item.answering)
                rounds[item.name] = last.ask(item, reloaded.get(item.name))
            if all(rounds[item.name].is_complete for item in applications):
                versions = {item.name: rounds[item.name].version for item in applications}
                replicas = sum(len(item.answering) for item in applications)
                return Verified(versions, tuple(reloaded), replicas, time.monotonic() - started)
            waited = time.monotonic() - started
            if waited > patience:
                raise DeploymentFailed(_too_late(applications, rounds))
            due = [
                item.name
                for item in applications
                if item.name not in reloaded
                and not rounds[item.name].is_complete
                and (waited > follow_seconds or rounds[item.name].problem)
            ]
            if due:
                now = datetime.now(UTC).isoformat(timespec="milliseconds")
                reloaded |= dict.fromkeys(due, now)
                self._put(config_with(self._details(), {name: {RELOAD: now} for name in due}))
            time.sleep(_POLL_SECONDS)

    def pin(
        self, version: int | str, resolve: Callable[[int | str], int], patience: float = 120.0
    ) -> Verified:
        """Tell every application to serve a version, or to follow an alias; whatever else is configured stays.

        Raises
        ------
        ServeUnreachable
            As of `state`.
        DeploymentFailed
            As of `verify`. The configuration before is restored, unless somebody has changed it meanwhile.
        """
        details = self._details()
        before = {item.name: item.wanted for item in read_state(details, self._address.url).applications}
        self._put(config_with(details, {name: {"version": version} for name in before}))
        try:
            return self.verify(resolve, patience)
        except DeploymentFailed as error:
            if self.state().wanted != {version}:
                raise
            changes: dict[str, dict[str, Any]] = {
                name: {"version": wanted} for name, wanted in before.items()
            }
            self._put(config_with(self._details(), changes))
            kept = " and ".join(sorted({str(value) for value in before.values()}))
            raise DeploymentFailed(f"{error} The configuration with {kept} is restored.") from error

    def _state_until(self, deadline: float) -> ServeState:
        """As `state`, while there is time also from an interface that does not answer at once."""
        while True:
            try:
                return self.state()
            except ServeUnreachable:
                if time.monotonic() > deadline:
                    raise
                time.sleep(_POLL_SECONDS)

    def _details(self) -> dict[str, Any]:
        content = self._request("GET")
        try:
            details: dict[str, Any] = json.loads(content)
        except ValueError:
            raise ServeUnreachable(
                f"{self._address.url} is not Ray's dashboard: it does not answer {APPLICATIONS} with JSON."
            ) from None
        return details

    def _put(self, config: Mapping[str, Any]) -> None:
        self._request("PUT", json.dumps(config).encode())

    def _request(self, method: str, body: bytes | None = None) -> bytes:
        url = self._address.url + APPLICATIONS
        headers = {"Content-Type": "application/json"}
        if self._address.token:
            headers["Authorization"] = f"Bearer {self._address.token}"
        try:
            with http_client(
                read_seconds=self._timeout
            ) as client:  # no redirect: the token goes nowhere else
                response = client.request(method, url, content=body, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            # Of an invalid header the text holds the token.
            is_header = isinstance(error, (httpx.LocalProtocolError, ValueError))
            reason = "" if is_header else str(error)
            reason = reason or type(error).__name__
            raise ServeUnreachable(f"Ray Serve does not answer at {url}: {reason}.") from None
        if response.is_success:
            return response.content
        status, reason = response.status_code, response.content.decode(errors="replace").strip()[:300]
        if status in (401, 403):
            raise ServeUnreachable(
                f"{self._address.url} rejects the token of Ray ({status}): set FOOTBALL_SERVE_TOKEN to the "
                "token of that cluster, or start `football serve` on this home again."
            )
        if method == "PUT":
            raise DeploymentFailed(f"Ray Serve rejected the configuration ({status}): {reason}")
        raise ServeUnreachable(f"{url} answers {status}: {reason}")


@dataclass(frozen=True)
class _Round:
    """The replicas of an application, and those that have answered from the version since just these take requests.

    `problem` is why a replica does not.
    """

    version: int
    replicas: frozenset[str]
    answered: frozenset[str] = frozenset()
    is_complete: bool = False
    problem: str | None = None

    def ask(self, application: Application, reload: str | None) -> "_Round":
        """Ask the replicas. `reload` is the value that they were reloaded with, if they were."""
        if application.status in _FAILED or application.deployment_status in _FAILED:
            raise DeploymentFailed(
                f"Application {application.name!r} of Ray Serve is {application.status} with version {self.version}: "
                f"{application.message or application.deployment_status}."
            )
        if application.configured != application.applied:
            return self
        if len(self.replicas) < min(1, application.replicas_wanted):
            return self
        answered, problem = set(self.answered), None
        for health in ask_replicas(application) if self.replicas else ():
            if health.version == self.version:
                answered.add(health.replica)
                if len(answered) >= len(self.replicas):
                    break
            elif health.error is not None and application.is_settled:
                problem = (
                    f"Replica {health.replica} cannot serve version {self.version} and answers from version "
                    f"{health.version}: {health.error}"
                )
                if reload is not None and application.configured[1] == reload:
                    raise DeploymentFailed(problem)
        is_complete = len(answered) >= len(self.replicas)
        return replace(self, answered=frozenset(answered), is_complete=is_complete, problem=problem)


def _too_late(applications: Sequence[Application], rounds: Mapping[str, _Round]) -> str:
    parts = [
        f"version {round_.version} from {len(round_.answered)} of {item.replicas_wanted} replicas of {item.name!r} "
        f"({item.status}, {item.deployment_status})"
        for item in applications
        if (round_ := rounds[item.name])
    ]
    return f"The deployment timed out. Ray Serve answers with {', '.join(parts)}."
