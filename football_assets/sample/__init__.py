"""The bundled sample: public-domain results of 2012 to 2015 in a landing format. The demo lands it; tests slice it."""

from pathlib import Path


def sample_folder() -> Path:
    """Folder with `<season>/<league>.json`, ready for `football land`."""
    return Path(__file__).resolve().parent / "openfootball"
