"""What the registry says that others follow, read in a few requests: every tick of the registry's sensor reads it."""

from dataclasses import dataclass
from datetime import datetime

from football_assets.errors import RegistryError
from football_assets.registry.store import ALIASES_OBJECT, Registry

CHECKED = "versions"  # metadata of the check that looks at the versions in view


@dataclass(frozen=True)
class RegistryState:
    """The aliases, the newest version, and the event that made them so.

    `event` differs whenever an alias has moved or a version has come, also when a state of the past comes back.
    `registered_by` is the Dagster run that registered the production version, if one did, and `registered` when.
    """

    event: str
    production: int | None
    versions_in_view: frozenset[int]
    registered_by: str | None
    registered: datetime | None


def read_registry(registry: Registry) -> RegistryState:
    """The registry as it stands."""
    info = registry.bucket.stat(ALIASES_OBJECT)
    aliases = registry.aliases()
    newest = registry.versions()[-1:]
    production = aliases.get("production")
    registered_by, registered = None, None
    if production is not None:
        try:
            manifest = registry.manifest(production)
        except RegistryError:  # it is for others to say so
            pass
        else:
            registered_by, registered = manifest.metadata.get("run_id"), manifest.published
    # In a folder a version is a digest of the content, which may come back: the time tells the events apart.
    moved = f"@{info.version}@{info.updated.isoformat()}" if info else ""
    return RegistryState(
        event=f"{ALIASES_OBJECT}{moved}+{newest[0] if newest else 0}",
        production=production,
        versions_in_view=frozenset({*aliases.values(), *newest}),
        registered_by=registered_by,
        registered=registered,
    )
