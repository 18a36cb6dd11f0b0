"""The bundled sample: public-domain results of 2012 to 2015 in a landing format. The demo lands it; tests slice it."""

from pathlib import Path


def sample_folder() -> Path:
    """Return the folder with `<season>/<league>.json`, in the layout of `football land`."""
    return Path(__file__).resolve().parent / "openfootball"
