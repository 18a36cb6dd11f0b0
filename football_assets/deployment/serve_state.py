"""State of the applications with a `Forecaster`, from Ray Serve's REST API and from `GET /health` of their replicas."""

import json
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import httpx

from football_assets.errors import FootballError
from football_assets.runtime.http import http_client
from football_assets.runtime.serve_discovery import ServeUnreachable

DEPLOYMENT = "Forecaster"
FOLLOWED_ALIAS = "production"  # the alias that an application serves unless a person says otherwise
SESSION_METADATA = "session"  # metadata of `serving_deployment`: which start of Serve was verified
RELOAD = "reload"  # field of user_config
ANYWHERE = ("0.0.0.0", "::", "")
SILENT = ("STARTING", "STOPPING")  # states of replicas that take no requests
_ASKED_EACH = 4  # requests a replica in one round: a load balancer chooses which replica answers
ANSWER_SECONDS = 5.0


class DeploymentFailed(FootballError):
    """Serve does not serve the wanted version."""


@dataclass(frozen=True)
class Application:
    """One Serve application with a `Forecaster`, as the REST API describes it.

    `wanted` is the configured version or alias, `configured` that and the last reload as configured, `applied`
    both as Serve is giving them to its replicas, `answering` the replicas that take requests, `health` the addresses to
    ask them at.
    """

    name: str
    status: str
    message: str
    wanted: int | str
    configured: tuple[int | str, str | None]
    applied: tuple[int | str, str | None]
    deployment_status: str
    replicas_wanted: int
    answering: frozenset[str]
    health: tuple[str, ...]

    @property
    def is_settled(self) -> bool:
        """Whether Serve has applied the configuration to all replicas."""
        return self.configured == self.applied and self.deployment_status == "HEALTHY"

    @property
    def is_pinned(self) -> bool:
        """Whether a person has configured something else than the production version."""
        return self.wanted != FOLLOWED_ALIAS


@dataclass(frozen=True)
class ServeState:
    """What one Serve instance is configured to serve. `session` differs after every start of it."""

    session: str
    applications: tuple[Application, ...]

    @property
    def wanted(self) -> frozenset[int | str]:
        """Versions or aliases that the applications are configured to serve."""
        return frozenset(item.wanted for item in self.applications)


@dataclass(frozen=True)
class Health:
    """What one replica said of itself."""

    replica: str
    version: int | None
    error: str | None


def read_state(details: Mapping[str, Any], url: str) -> ServeState:
    """Parse the answer of Serve's REST API."""
    try:
        applications = tuple(
            _read_application(item, details)
            for item in details["applications"].values()
            if DEPLOYMENT in item["deployments"]
        )
        session = str(details.get("controller_info", {}).get("actor_id") or "")
    except (KeyError, TypeError, AttributeError) as error:
        raise ServeUnreachable(
            f"The description of Ray Serve at {url} cannot be parsed ({type(error).__name__}: {error}): use Ray 2.60."
        ) from error
    if not applications:
        raise ServeUnreachable(
            f"Ray Serve at {url} runs no application with a deployment {DEPLOYMENT!r} yet: deploy serve/config.yaml."
        )
    return ServeState(session, applications)


def _read_application(item: Mapping[str, Any], details: Mapping[str, Any]) -> Application:
    deployment = item["deployments"][DEPLOYMENT]
    stored = _find_deployment(item["deployed_app_config"] or {})
    running = deployment["deployment_config"].get("user_config") or {}
    configured = _version_and_reload(stored.get("user_config") or running)
    return Application(
        name=item["name"],
        status=item["status"],
        message=item["message"],
        wanted=configured[0],
        configured=configured,
        applied=_version_and_reload(running),
        deployment_status=deployment["status"],
        replicas_wanted=deployment["target_num_replicas"],
        answering=frozenset(
            one["replica_id"] for one in deployment["replicas"] if one["state"] not in SILENT
        ),
        health=tuple(_health_urls(item, details)),
    )


def _version_and_reload(user_config: Mapping[str, Any]) -> tuple[int | str, str | None]:
    return user_config.get("version", FOLLOWED_ALIAS), user_config.get(RELOAD)


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


def config_with(details: Mapping[str, Any], changes: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Build the configuration of a `serve deploy` from the running one, with changed `user_config` of applications."""
    applications = []
    for name, item in details["applications"].items():
        application = deepcopy(item["deployed_app_config"])
        if application is None:  # deployed by a program, and left alone by configurations
            if name in changes:
                raise DeploymentFailed(
                    f"Application {name!r} of Ray Serve was not deployed from a configuration: use `serve deploy`."
                )
            continue
        if name in changes:
            deployment = _find_deployment(application)
            if not deployment:
                deployment = {"name": DEPLOYMENT}
                application["deployments"] = [*(application.get("deployments") or ()), deployment]
            running = item["deployments"][DEPLOYMENT]["deployment_config"].get("user_config") or {}
            user_config = deployment.get("user_config") or running
            deployment |= {"user_config": {**user_config, **changes[name]}}  # type: ignore[operator]
        applications.append(application)
    kept = {
        name: details[name]
        for name in ("proxy_location", "http_options", "grpc_options", "target_capacity")
        if details.get(name) is not None
    }
    return {**kept, "applications": applications}


def ask_replicas(
    application: Application, timeout: float = ANSWER_SECONDS, patience: float = math.inf
) -> Iterator[Health]:
    """Ask `/health` several times for every replica, until as many requests as there are replicas were not answered.

    Parameters
    ----------
    timeout
        Seconds for one request.
    patience
        Seconds after which no further request begins.
    """
    replicas = max(1, len(application.answering))
    unanswered = 0
    deadline = time.monotonic() + patience
    for _ in range(_ASKED_EACH * replicas):
        for url in application.health:
            health = _health(url, timeout)
            if health is not None:
                yield health
            else:
                unanswered += 1
            if unanswered > replicas or time.monotonic() > deadline:
                return


def _health(url: str, timeout: float) -> Health | None:
    try:
        with http_client(read_seconds=timeout) as client:
            content = json.loads(client.get(url).raise_for_status().content)
        return Health(content["replica"], content["model_version"], content["model_error"])
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, TypeError):  # busy, or being replaced
        return None
