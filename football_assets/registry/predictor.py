"""Load the parts of a model bundle that forecast: the network, its inputs and the state of the teams."""

from pathlib import Path

import polars as pl

from football_assets.errors import ExportError, RegistryError
from football_assets.export.inference import OnnxForecaster
from football_assets.registry.model_bundle import ModelBundle
from football_assets.sequences.spec import FeatureSpec
from football_assets.sequences.state import TeamState
from football_assets.storage.model_files import FEATURE_SPEC, MODEL, TEAM_STATE

__all__ = ["OnnxForecaster", "load_feature_spec", "load_predictor", "load_team_state"]


def load_predictor(bundle: Path | ModelBundle, threads: int = 1, provider: str = "cpu") -> OnnxForecaster:
    """Load the float32 forecaster of a bundle.

    Parameters
    ----------
    bundle
        The files of the bundle, or a folder with them.
    threads
        Threads of one call.
    provider
        `cpu`, `cuda`, or `auto`: CUDA if there is a device.

    Raises
    ------
    RegistryError
        The bundle's model cannot be loaded, or cannot run on that provider.
    """
    try:
        model = bundle / MODEL if isinstance(bundle, Path) else bundle.read(MODEL)
        return OnnxForecaster(model, threads, provider)
    except ExportError as error:
        raise RegistryError(f"Model bundle {bundle} cannot be used: {error}") from error


def load_feature_spec(bundle: ModelBundle) -> FeatureSpec:
    """Parse the specification of a bundle's inputs.

    Raises
    ------
    RegistryError
        The bundle has none.
    """
    return FeatureSpec.model_validate_json(bundle.read(FEATURE_SPEC))


def load_team_state(bundle: ModelBundle) -> TeamState:
    """Parse the state of the teams that a bundle knows.

    Raises
    ------
    RegistryError
        The bundle has none.
    FootballError
        The network needs an input that the state does not hold.
    """
    return TeamState(pl.read_parquet(bundle.read(TEAM_STATE)), load_feature_spec(bundle))
