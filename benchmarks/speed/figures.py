"""Figures of measurements with their limits and references, and the table that shows them."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


class Row(Protocol):
    """A measurement as a row of the table."""

    @property
    def name(self) -> str:
        """What is measured."""

    @property
    def is_within_limit(self) -> bool:
        """Whether the limits hold; true without one."""

    @property
    def cells(self) -> tuple[str, str, str, str]:
        """Measured value, limit, reference, and the ratio of both."""


@dataclass(frozen=True)
class CostFigure:
    """A cost. `naive` is the same work done the plain way, in the same unit."""

    name: str
    value: float
    unit: str
    limit: float | None = None
    naive: float | None = None
    naive_way: str = ""

    @property
    def ratio(self) -> float | None:
        """How many times the naive way costs."""
        return self.naive / self.value if self.naive is not None else None

    @property
    def is_within_limit(self) -> bool:
        """Whether the limit holds; true without one."""
        return self.limit is None or self.value <= self.limit

    @property
    def cells(self) -> tuple[str, str, str, str]:
        """Measured value, limit, the naive way, and its ratio to the measured value."""
        return (
            f"{self.value:.3g} {self.unit}",
            f"{self.limit:.3g} {self.unit}" if self.limit is not None else "",
            f"{self.naive:.1f} {self.unit}: {self.naive_way}" if self.naive is not None else "",
            f"{self.ratio:.1f}x" if self.ratio is not None else "",
        )


@dataclass(frozen=True)
class ServeFigure:
    """A figure of serving. `reference` is the plain server's, or the plain way's, in the same unit."""

    name: str
    value: float
    unit: str
    most: float | None = None
    least: float | None = None
    reference: float | None = None
    reference_name: str = "reference server"

    @property
    def ratio(self) -> float | None:
        """Measured to reference."""
        return self.value / self.reference if self.reference else None

    @property
    def is_within_limit(self) -> bool:
        """Whether the limits hold; true without one."""
        return (self.most is None or self.value <= self.most) and (
            self.least is None or self.value >= self.least
        )

    @property
    def limit(self) -> str:
        """The limit, for a person."""
        signs = (("≤", self.most), ("≥", self.least))
        return " ".join(f"{sign} {bound:,.4g} {self.unit}" for sign, bound in signs if bound is not None)

    @property
    def cells(self) -> tuple[str, str, str, str]:
        """Measured value, limit, reference, and the ratio of the measured value to it."""
        beside = ""
        if self.reference is not None:
            beside = f"{self.reference:,.4g} {self.unit}: {self.reference_name}"
        return (
            f"{self.value:,.4g} {self.unit}",
            self.limit,
            beside,
            f"{self.ratio:.2f}x" if self.ratio is not None else "",
        )


def report(figures: Sequence[Row], title: str, reference: str, ratio: str) -> None:
    """Print the figures as a table.

    Parameters
    ----------
    title
        What was measured on.
    reference, ratio
        Headings of the last two columns.
    """
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"Measured on {title}", title_justify="left")
    table.add_column("figure")
    table.add_column("measured", justify="right")
    table.add_column("limit", justify="right")
    table.add_column(reference)
    table.add_column(ratio, justify="right")
    for figure in figures:
        colour = "green" if figure.is_within_limit else "red"
        measured, limit, beside, times = figure.cells
        table.add_row(figure.name, f"[{colour}]{measured}[/]", limit, beside, times)
    Console(width=None if sys.stdout.isatty() else 160).print(table)
