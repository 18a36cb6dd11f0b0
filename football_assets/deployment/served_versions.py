"""The model versions that running replicas answer from, or are configured to."""

from dataclasses import dataclass

from football_assets.deployment.serve_api import ServeApi
from football_assets.errors import FootballError
from football_assets.registry.store import Registry
from football_assets.runtime.serve_discovery import ServeUnreachable, find_serve
from football_assets.settings import Settings


@dataclass(frozen=True)
class ServedVersions:
    """Versions in use. `doubt`: why there may be more of them; None: these are all that this home knows of."""

    versions: frozenset[int] = frozenset()
    doubt: str | None = None


def served_versions(settings: Settings, registry: Registry) -> ServedVersions:
    """Ask Serve and its replicas; no version where no Serve runs on the home and none is configured."""
    try:
        address = find_serve(settings)
    except ServeUnreachable as error:
        return ServedVersions(doubt=str(error) if settings.serve_api else None)
    versions: set[int] = set()
    doubts: list[str] = []
    try:
        api = ServeApi(address)
        for application in api.state().applications:
            versions.add(registry.resolve(application.wanted))
            answers = api.health(application)
            versions |= {health.version for health in answers.values() if health.version is not None}
            if len(answers) < application.replicas_wanted:
                doubts.append(
                    f"{len(answers)} of {application.replicas_wanted} replicas of {application.name} answered."
                )
    except FootballError as error:
        doubts.append(str(error))
    return ServedVersions(frozenset(versions), " ".join(doubts) or None)
