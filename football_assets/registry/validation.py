"""Validate a model version as the gate and the replicas do before they load it: `football validate model`."""

from dataclasses import dataclass
from pathlib import Path

from football_assets.errors import FootballError
from football_assets.registry.bundle import check_bundle
from football_assets.registry.store import Registry


@dataclass(frozen=True)
class ValidatedVersion:
    """The verdict about one model version.

    Attributes
    ----------
    version
        The version's number; None if the reference names none.
    problem
        Why the version cannot be loaded; None if it can.
    is_accepted
        The gate's decision; None before it has decided.
    reasons
        The gate's reasons.
    """

    version: int | None
    problem: str | None
    is_accepted: bool | None
    reasons: tuple[str, ...]

    @property
    def is_valid(self) -> bool:
        """Return whether every file has its digest and can be read, and the model predicts."""
        return self.problem is None


def validate_version(registry: Registry, reference: int | str, scratch: Path) -> ValidatedVersion:
    """Fetch a version, each file checked against its digest, read all its files and let its model predict.

    Parameters
    ----------
    reference
        A version's number or an alias.
    scratch
        Folder that keeps the copy.
    """
    version: int | None = None
    try:
        version = registry.resolve(reference)
        check_bundle(registry.open(version).load(scratch))
        decision = registry.decision(version) or {}
    except FootballError as error:
        return ValidatedVersion(version, str(error), None, ())
    return ValidatedVersion(version, None, decision.get("accepted"), tuple(decision.get("reasons", ())))
