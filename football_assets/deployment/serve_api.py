"""Ray Serve's REST API: what it serves, and serving another model version. `serving_deployment` calls it.

Serve takes a version as a part of `user_config`, and its replicas load it one after the other while they answer. One
that cannot load it keeps its old version, which Serve does not know: `GET /health` says which version answers.
"""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any

from football_assets.errors import FootballError
from football_assets.serve_address import ServeAddress, ServeUnreachable

APPLICATIONS = "/api/serve/applications/"
DEPLOYMENT = "Forecaster"
ANYWHERE = ("0.0.0.0", "::", "")
SILENT = ("STARTING", "STOPPING")  # states of replicas that take no requests
_FAILED = ("DEPLOY_FAILED", "UNHEALTHY")
_ASKED_EACH = 4  # requests a replica in one round: a load balancer chooses which replica answers
_POLL_SECONDS = 0.25
_ANSWER_SECONDS = 5.0


class DeploymentFailed(FootballError):
    """Serve does not serve the wanted version."""


class Overruled(DeploymentFailed):
    """Serve was told another version meanwhile."""


@dataclass(frozen=True)
class Application:
    """One Serve application with a `Forecaster`, as the REST API describes it.

    `wanted` is the version or alias that it was told to serve, `taken_up` the one that Serve is giving its replicas,
    `answering` the replicas that take requests, `health` the addresses to ask them at.
    """

    name: str
    status: str
    message: str
    wanted: int | str | None
    taken_up: int | str | None
    deployment_status: str
    replicas_wanted: int
    answering: frozenset[str]
    health: tuple[str, ...]

    @property
    def is_settled(self) -> bool:
        """Whether Serve has given all replicas what was wanted."""
        return self.wanted == self.taken_up and self.deployment_status == "HEALTHY"


@dataclass(frozen=True)
class ServeState:
    """What one Serve instance is told to serve. `session` differs after every start of it."""

    session: str
    applications: tuple[Application, ...]

    @property
    def wanted(self) -> frozenset[int | str | None]:
        """Versions or aliases that the applications are told to serve."""
        return frozenset(item.wanted for item in self.applications)


@dataclass(frozen=True)
class Health:
    """What one replica said of itself."""

    replica: str
    version: int | None
    error: str | None


@dataclass(frozen=True)
class Deployed:
    """A version that all replicas answer from. `before`: what answered before, or was wanted; by application."""

    version: int
    replicas: int
    seconds: float
    before: dict[str, int | str | None]


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
    >>> ServeApi(find_serve(get_settings())).deploy(3)
    """

    def __init__(self, address: ServeAddress, timeout: float = 10.0) -> None:
        self._address = address
        self._timeout = timeout

    def state(self) -> ServeState:
        """What Serve is told to serve.

        Raises
        ------
        ServeUnreachable
            Nothing answers, the token is refused, or there is no forecaster.
        """
        return _read_state(self._details(), self._address.url)

    def health(self, application: Application) -> dict[str, Health]:
        """What replicas of an application say; the load balancer may leave one out while it changes."""
        answers: dict[str, Health] = {}
        for answer in _ask(application):
            answers[answer.replica] = answer
            if len(answers) >= len(application.answering):
                break
        return answers

    def deploy(self, version: int, patience: float = 120.0) -> Deployed:
        """Serve a version from every replica of every application; whatever else is configured stays.

        Parameters
        ----------
        version
            A number of the registry.
        patience
            Seconds until every replica must answer from it.

        Raises
        ------
        ServeUnreachable
            As of `state`.
        DeploymentFailed
            A replica cannot load the version, or Serve did not finish in time. It was told to go on as before.
        """
        started = time.monotonic()
        details = self._details()
        applications = _read_state(details, self._address.url).applications
        before = {item.name: _answering(self.health(item)) or item.wanted for item in applications}
        self._put(_config(details, dict.fromkeys(before, version)))
        try:
            replicas = self._wait(version, started + patience)
        except Overruled:
            raise
        except DeploymentFailed as error:
            self._put(_config(details, before))
            kept = " and ".join(sorted({str(value) for value in before.values()}))
            raise DeploymentFailed(f"{error} Serve was told to go on with {kept}.") from error
        return Deployed(version, replicas, time.monotonic() - started, before)

    def _wait(self, version: int, deadline: float) -> int:
        """Wait until all replicas answer from a version; returns their number."""
        rounds: dict[str, _Round] = {}
        while True:
            try:
                applications = self.state().applications
            except ServeUnreachable:
                if time.monotonic() > deadline:
                    raise
                time.sleep(_POLL_SECONDS)
                continue
            for application in applications:
                last = rounds.get(application.name)
                if last is None or last.replicas != application.answering:
                    last = _Round(application.answering)
                rounds[application.name] = last.ask(application, version)
            if all(item.is_complete for item in rounds.values()):
                return sum(len(item.replicas) for item in rounds.values())
            if time.monotonic() > deadline:
                raise DeploymentFailed(_too_late(version, applications, rounds))
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
            request = urllib.request.Request(url, data=body, method=method, headers=headers)
            with _OPENER.open(request, timeout=self._timeout) as response:
                return bytes(response.read())
        except urllib.error.HTTPError as error:
            reason = error.read().decode(errors="replace").strip()[:300]
            if error.code in (401, 403):
                raise ServeUnreachable(
                    f"{self._address.url} refuses the token of Ray ({error.code}): set FOOTBALL_SERVE_TOKEN to the "
                    "token of that cluster, or start `football serve` on this home again."
                ) from None
            if method == "PUT":
                raise DeploymentFailed(
                    f"Ray Serve refused the configuration ({error.code}): {reason}"
                ) from None
            raise ServeUnreachable(f"{url} answers {error.code}: {reason}") from None
        except (OSError, HTTPException, ValueError) as error:
            reason = str(getattr(error, "reason", None) or error or type(error).__name__)
            raise ServeUnreachable(f"Ray Serve does not answer at {url}: {reason}.") from None


@dataclass(frozen=True)
class _Round:
    """The replicas of an application, and those that have answered from the version since just these take requests."""

    replicas: frozenset[str]
    answered: frozenset[str] = frozenset()
    is_complete: bool = False

    def ask(self, application: Application, version: int) -> "_Round":
        if application.status in _FAILED or application.deployment_status in _FAILED:
            raise DeploymentFailed(
                f"Application {application.name!r} of Ray Serve is {application.status} with version {version}: "
                f"{application.message or application.deployment_status}."
            )
        if application.wanted != version:
            raise Overruled(
                f"Application {application.name!r} of Ray Serve was told to serve {application.wanted} while version "
                f"{version} was being deployed."
            )
        if application.taken_up != version or len(self.replicas) < min(1, application.replicas_wanted):
            return self
        answered = set(self.answered)
        for health in _ask(application) if self.replicas else ():
            if health.version == version:
                answered.add(health.replica)
                if len(answered) >= len(self.replicas):
                    break
            elif health.error is not None and application.is_settled:
                raise DeploymentFailed(
                    f"Replica {health.replica} cannot serve version {version} and answers from version "
                    f"{health.version}: {health.error}"
                )
        return _Round(self.replicas, frozenset(answered), len(answered) >= len(self.replicas))


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """The token goes nowhere but where it was meant to."""

    def redirect_request(self, *_: Any) -> None:
        return None


_OPENER = urllib.request.build_opener(_NoRedirect)


def _read_state(details: Mapping[str, Any], url: str) -> ServeState:
    try:
        applications = tuple(
            _read_application(item, details)
            for item in details["applications"].values()
            if DEPLOYMENT in item["deployments"]
        )
        session = str(details.get("controller_info", {}).get("actor_id") or "")
    except (KeyError, TypeError, AttributeError) as error:
        raise ServeUnreachable(
            f"{url} describes Ray Serve in a way that is not known here ({type(error).__name__}: {error}): Ray 2.60 is."
        ) from error
    if not applications:
        raise ServeUnreachable(
            f"Ray Serve at {url} runs no application with a deployment {DEPLOYMENT!r} yet: deploy serve/config.yaml."
        )
    return ServeState(session, applications)


def _read_application(item: Mapping[str, Any], details: Mapping[str, Any]) -> Application:
    deployment = item["deployments"][DEPLOYMENT]
    configured = _find_deployment(item["deployed_app_config"] or {})
    taken_up = (deployment["deployment_config"].get("user_config") or {}).get("version")
    return Application(
        name=item["name"],
        status=item["status"],
        message=item["message"],
        wanted=(configured.get("user_config") or {}).get("version", taken_up),
        taken_up=taken_up,
        deployment_status=deployment["status"],
        replicas_wanted=deployment["target_num_replicas"],
        answering=frozenset(
            one["replica_id"] for one in deployment["replicas"] if one["state"] not in SILENT
        ),
        health=tuple(_health_urls(item, details)),
    )


def _find_deployment(application: Mapping[str, Any]) -> Mapping[str, Any]:
    deployments: Sequence[Mapping[str, Any]] = application.get("deployments") or ()
    return next((one for one in deployments if one["name"] == DEPLOYMENT), {})


def _health_urls(item: Mapping[str, Any], details: Mapping[str, Any]) -> Iterator[str]:
    """Where replicas of an application answer: the proxies, at the address that they listen on."""
    options = details["http_options"]
    path = f"{options.get('root_path') or ''}{(item['route_prefix'] or '').rstrip('/')}/health"
    hosts = [options["host"]]
    if options["host"] in ANYWHERE:
        hosts = [proxy["node_ip"] for proxy in details["proxies"].values()]
    for host in hosts:
        yield f"http://{f'[{host}]' if ':' in host else host}:{options['port']}{path}"


def _config(details: Mapping[str, Any], versions: Mapping[str, int | str | None]) -> dict[str, Any]:
    """The running configuration, as `serve deploy` would give it, with other versions."""
    applications = []
    for name, item in details["applications"].items():
        application = deepcopy(item["deployed_app_config"])
        if application is None:  # deployed by a program, and left alone by configurations
            if name in versions:
                raise DeploymentFailed(
                    f"Application {name!r} of Ray Serve was not deployed from a configuration: use `serve deploy`."
                )
            continue
        if name in versions:
            deployment = _find_deployment(application)
            if not deployment:
                deployment = {"name": DEPLOYMENT}
                application["deployments"] = [*(application.get("deployments") or ()), deployment]
            running = item["deployments"][DEPLOYMENT]["deployment_config"].get("user_config") or {}
            user_config = deployment.get("user_config") or running
            deployment |= {"user_config": {**user_config, "version": versions[name]}}  # type: ignore[operator]
        applications.append(application)
    kept = {
        name: details[name]
        for name in ("proxy_location", "http_options", "grpc_options", "target_capacity")
        if details.get(name) is not None
    }
    return {**kept, "applications": applications}


def _ask(application: Application) -> Iterator[Health]:
    """Answers of `/health`, several for every replica."""
    for _ in range(_ASKED_EACH * max(1, len(application.answering))):
        for url in application.health:
            health = _health(url)
            if health is not None:
                yield health


def _health(url: str) -> Health | None:
    try:
        with _OPENER.open(url, timeout=_ANSWER_SECONDS) as response:
            content = json.load(response)
        return Health(content["replica"], content["model_version"], content["model_error"])
    except (OSError, HTTPException, ValueError, KeyError, TypeError):  # busy, or being replaced
        return None


def _answering(health: Mapping[str, Health]) -> int | None:
    """The one version that all replicas answer from."""
    versions = {answer.version for answer in health.values()}
    return versions.pop() if len(versions) == 1 else None


def _too_late(version: int, applications: Sequence[Application], rounds: Mapping[str, _Round]) -> str:
    parts = [
        f"{len(rounds[item.name].answered)} of {item.replicas_wanted} replicas of {item.name!r} "
        f"({item.status}, {item.deployment_status})"
        for item in applications
    ]
    return f"Version {version} answers from {', '.join(parts)} after all the time they had."
