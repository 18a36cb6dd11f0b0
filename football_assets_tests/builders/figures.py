"""What a Matplotlib figure shows, as data: points of lines and dots, rounded to nine decimals, and the legend."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection

Point = tuple[float, float]


def points(axes: Axes, label: str) -> list[Point]:
    """The points `(x, y)` of the one line or scatter with this label."""
    (found,) = [*lines(axes, label), *(dots_of(item) for item in scatters(axes, label))]
    return found


def lines(axes: Axes, label: str) -> list[list[Point]]:
    """The points of every line with this label; a line that the legend leaves out has a label like `_child1`."""
    return [
        [_point(x, y) for x, y in zip(x_of(line), y_of(line), strict=True)]
        for line in axes.lines
        if line.get_label() == label
    ]


def unnamed_lines(axes: Axes) -> list[list[Point]]:
    """The points of every line that the legend leaves out, in the order in which they were drawn."""
    return [
        points
        for line in axes.lines
        if str(line.get_label()).startswith("_")
        for points in lines(axes, str(line.get_label()))
    ]


def scatters(axes: Axes, label: str) -> list[PathCollection]:
    """Every scatter with this label."""
    return [
        item for item in axes.collections if isinstance(item, PathCollection) and item.get_label() == label
    ]


def dots_of(scatter: PathCollection) -> list[Point]:
    """The points of a scatter."""
    return [_point(x, y) for x, y in np.asarray(scatter.get_offsets())]


def x_of(line: Any) -> list[Any]:
    """The horizontal values of a line as they were given, days for example."""
    return list(line.get_xdata())


def y_of(line: Any) -> list[float]:
    """The vertical values of a line."""
    return list(line.get_ydata())


def bars(axes: Any) -> list[tuple[float, float]]:
    """Height of the middle and width of every horizontal bar."""
    return [(round(bar.get_y() + bar.get_height() / 2, 6), bar.get_width()) for bar in axes.patches]


def notes(axes: Any) -> dict[float, str]:
    """The text of every annotation by its height."""
    return {note.xy[1]: note.get_text() for note in axes.texts}


def texts(items: Iterable) -> list[str]:
    """The strings of some text artists."""
    return [item.get_text() for item in items]


def legend(axes: Axes) -> list[str]:
    """The entries of the legend, from the top."""
    found = axes.get_legend()
    assert found is not None
    return texts(found.get_texts())


def _point(x: float, y: float) -> Point:
    return round(float(x), 9), round(float(y), 9)
