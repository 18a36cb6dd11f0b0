"""Load the forecaster of a model bundle. Needs only numpy and ONNX Runtime."""

from pathlib import Path

from football_assets.errors import ExportError, RegistryError
from football_assets.export.inference import OnnxForecaster
from football_assets.storage.model_files import MODEL

__all__ = ["OnnxForecaster", "load_predictor"]


def load_predictor(bundle: Path, threads: int = 1, provider: str = "cpu") -> OnnxForecaster:
    """Load the float32 forecaster of a bundle that `Registry.fetch` returned.

    Parameters
    ----------
    bundle
        Folder of the bundle.
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
        return OnnxForecaster(bundle / MODEL, threads, provider)
    except ExportError as error:
        raise RegistryError(f"Model bundle {bundle} cannot be used: {error}") from error
