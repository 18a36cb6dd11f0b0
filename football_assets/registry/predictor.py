"""The forecaster of a model bundle, for serving and forecasts. Needs numpy and ONNX Runtime only."""

from pathlib import Path

from football_assets.errors import ExportError, RegistryError
from football_assets.export.inference import OnnxForecaster
from football_assets.model_files import MODEL

__all__ = ["OnnxForecaster", "load_predictor"]


def load_predictor(bundle: Path, threads: int = 1) -> OnnxForecaster:
    """The float32 forecaster of a bundle that `Registry.fetch` returned.

    Raises
    ------
    RegistryError
        The bundle's model cannot be loaded.
    """
    try:
        return OnnxForecaster(bundle / MODEL, threads)
    except ExportError as error:
        raise RegistryError(f"Model bundle {bundle} cannot be used: {error}") from error
