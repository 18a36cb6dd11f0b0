"""The gate's last decision about each model version."""

import json
from typing import Any

from football_assets.errors import ObjectNotFound, RegistryError
from football_assets.registry.manifest import to_json
from football_assets.storage.bucket import Bucket

DECISIONS = "registry/decisions/"

_FIELDS = {"accepted": bool, "reasons": list, "refusals": list, "comparisons": list}


class DecisionStore:
    """The decisions of a bucket, one object for each version."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def write(self, version: int, decision: dict[str, Any]) -> None:
        """Store the decision about a version; it replaces an earlier one."""
        self._bucket.write(f"{DECISIONS}{version}.json", to_json(decision))

    def read(self, version: int) -> dict[str, Any] | None:
        """Return the last decision about a version, or None if there is none.

        Raises
        ------
        RegistryError
            The decision is corrupt.
        """
        name = f"{DECISIONS}{version}.json"
        try:
            decision = json.loads(self._bucket.read(name))
            if not isinstance(decision, dict):
                raise TypeError("it is no object")
            for field, kind in _FIELDS.items():
                if field in decision and not isinstance(decision[field], kind):
                    raise TypeError(f"its {field!r} is {decision[field]!r}")
        except ObjectNotFound:
            return None
        except (ValueError, TypeError, RecursionError) as error:
            raise RegistryError(
                f"{name} in {self._bucket.url} is corrupt ({error}): delete it and "
                "materialize 'registered_model' again."
            ) from error
        return decision
