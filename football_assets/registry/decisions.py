"""The gate's last decision about each model version."""

import json
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from football_assets.errors import ObjectNotFound, RegistryError
from football_assets.registry.manifest import to_json
from football_assets.storage.bucket import Bucket

DECISIONS = "registry/decisions/"


class _Comparison(BaseModel):
    """What is read of a `GateComparison`. Later releases may add fields."""

    model_config = ConfigDict(strict=True)

    reference: str
    matches: int
    candidate_log_loss: float
    reference_log_loss: float
    difference: float
    lower: float
    upper: float
    passed: bool


class _Decision(BaseModel):
    """What is read of a `GateDecision`. Every release has written these fields."""

    model_config = ConfigDict(strict=True)

    accepted: bool
    reasons: list[str]
    refusals: list[str]
    comparisons: list[_Comparison]


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
            The decision is corrupt: a field is missing, or has another type.
        """
        name = f"{DECISIONS}{version}.json"
        try:
            text = self._bucket.read(name)
        except ObjectNotFound:
            return None
        try:
            _Decision.model_validate_json(text)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"]))
            reason = f"{where}: {first['msg']}" if where else first["msg"]
            raise RegistryError(
                f"{name} in {self._bucket.url} is corrupt ({reason}): delete it and "
                "materialize 'registered_model' again."
            ) from error
        decision: dict[str, Any] = json.loads(text)
        return decision
