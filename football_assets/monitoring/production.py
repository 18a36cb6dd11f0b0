"""Read the files of the production model that the drift report needs from the registry."""

from dataclasses import dataclass
from datetime import date, datetime

import polars as pl

from football_assets.errors import RegistryError
from football_assets.registry.store import Registry
from football_assets.registry.stored_version import StoredVersion
from football_assets.sequences.spec import FeatureSpec
from football_assets.storage.model_files import FEATURE_SPEC, REFERENCE, TEAM_STATE

RESULT_COLUMNS = ("outcome", "home_goals", "away_goals")


@dataclass(frozen=True)
class Production:
    """The version in production: its inputs, the reference of its training, and the last result that it knows."""

    version: int
    published: datetime
    as_of: date | None
    spec: FeatureSpec
    reference: pl.DataFrame

    @property
    def has_results(self) -> bool:
        """Whether the reference has the results of its matches; bundles of early releases do not."""
        return set(RESULT_COLUMNS) <= set(self.reference.columns)


def load_production(registry: Registry) -> Production | None:
    """Load the production version, or None while there is none.

    Raises
    ------
    RegistryError
        A file of it is missing or corrupt, or it is not signed where signatures are verified.
    """
    number = registry.aliases().get("production")
    if number is None:
        return None
    version = registry.open(number)
    return Production(
        number,
        version.manifest.published,
        last_result_known(version),
        FeatureSpec.model_validate_json(version.read(FEATURE_SPEC)),
        pl.read_parquet(version.read(REFERENCE)),
    )


def last_result_known(version: StoredVersion) -> date | None:
    """Return the day of the last result that a version knows; None if it knows none.

    Raises
    ------
    RegistryError
        Its team state is missing or corrupt.
    """
    state = pl.read_parquet(version.read(TEAM_STATE), columns=["last_kickoff_date"])
    return state["last_kickoff_date"].max()  # type: ignore[return-value]


def last_result_learnt(registry: Registry) -> date | None:
    """Return the day of the last result that any version knows, in production or not; None if none knows one.

    It is the newest version's, unless that one cannot be read or has no teams.

    Raises
    ------
    SignaturePolicyError
        Signatures are verified, and this process cannot.
    """
    days = (day for _, day in registry.newest_first(last_result_known) if day is not None)
    return next(days, None)


def with_the_same_inputs(registry: Registry, production: Production, versions: list[int]) -> list[int]:
    """Return the versions with the inputs of production: their columns in the log have the same meaning.

    Raises
    ------
    SignaturePolicyError
        Signatures are verified, and this process cannot.
    """
    names = production.spec.context_names

    def same(version: int) -> bool:
        try:
            spec = FeatureSpec.model_validate_json(registry.read(version, FEATURE_SPEC))
        except (RegistryError, ValueError):  # without it, its inputs have no names in the log
            return False
        return spec.context_names == names

    return [version for version in versions if version == production.version or same(version)]
