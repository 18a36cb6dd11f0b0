"""Matplotlib figures without a display, encoded as PNG and as data URLs for Markdown and HTML.

Plot functions of every stage return a `Figure`. The caller encodes it with `to_png`; tests inspect its artists.
"""

import base64
import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def new_figure(width: float, height: float) -> "Figure":
    """Create an empty figure; width and height are in inches."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def to_png(figure: "Figure", dpi: int = 110) -> bytes:
    """Encode a figure as PNG; `dpi` is in pixels per inch."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi)
    return buffer.getvalue()


def data_url(png: bytes) -> str:
    """Encode a PNG image as a `data:` URL."""
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"
