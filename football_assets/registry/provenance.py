"""The provenance of a model version: which run built it, from which data and which code.

It is the entry `provenance` of the manifest's metadata, and thereby signed with the version.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any

PROVENANCE = "provenance"
_PACKAGE = "football-assets"


@dataclass(frozen=True)
class Provenance:
    """Where a model version comes from.

    Attributes
    ----------
    run_id
        Dagster run that registered it.
    commit
        Commit of the code; None if it is not known.
    release
        Release of the package football-assets.
    inputs
        Dagster's data version of each asset that the version was built from, of a partitioned asset by partition.
        None: not known, as without a recorded materialization of the content.
    """

    run_id: str
    commit: str | None
    release: str
    inputs: Mapping[str, Any]

    @classmethod
    def of_run(cls, run_id: str, commit: str | None, inputs: Mapping[str, Any]) -> "Provenance":
        """Describe a version that a Dagster run builds with the installed package."""
        return cls(run_id, commit, version(_PACKAGE), inputs)

    def to_dict(self) -> dict[str, Any]:
        """Return the provenance as JSON values."""
        return asdict(self)
