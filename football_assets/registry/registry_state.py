"""The state of the registry that sensors and checks compare: aliases, newest version and the event behind them.

Reading it takes a few requests, because every tick of the registry sensor does.
"""

from dataclasses import dataclass
from datetime import datetime

from football_assets.errors import RegistryError
from football_assets.registry.store import ALIASES_OBJECT, Registry

CHECKED = "versions"  # metadata key of `registered_versions_are_whole`: the versions that it checked


@dataclass(frozen=True)
class RegistryState:
    """The production version, the versions to check, and the event that led to this state.

    `event` changes with every change of an alias and with every new version, also if an earlier state is restored.
    `versions_in_view` are the newest version and those with an alias. `registered_by` is the Dagster run that
    registered the production version (None if no run did), `registered` the time; both are None if its manifest cannot
    be read, or is not signed where signatures are verified.
    """

    event: str
    production: int | None
    versions_in_view: frozenset[int]
    registered_by: str | None
    registered: datetime | None


def read_registry(registry: Registry) -> RegistryState:
    """Read the state of the registry.

    Raises
    ------
    SignaturePolicyError
        Signatures are verified, and this process cannot.
    """
    info = registry.bucket.stat(ALIASES_OBJECT)
    aliases = registry.aliases()
    newest = registry.versions()[-1:]
    production = aliases.get("production")
    registered_by, registered = None, None
    if production is not None:
        try:
            manifest = registry.open(production).manifest
        except RegistryError:  # `registered_versions_are_whole` reports it
            pass
        else:
            registered_by, registered = manifest.metadata.get("run_id"), manifest.published
    # In a local bucket an object's generation is a digest of its content, which may recur: the time tells events apart.
    moved = f"@{info.version}@{info.updated.isoformat()}" if info else ""
    return RegistryState(
        event=f"{ALIASES_OBJECT}{moved}+{newest[0] if newest else 0}",
        production=production,
        versions_in_view=frozenset({*aliases.values(), *newest}),
        registered_by=registered_by,
        registered=registered,
    )
