"""Figures of serving with their limits, beside those of the plain server."""

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    pass


@dataclass(frozen=True)
class Figure:
    """One measurement. `reference` is the plain server's, or the plain way's, in the same unit."""

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


def report(figures: list[Figure], title: str) -> None:
    """Print the figures."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"Measured on {title}", title_justify="left")
    for column in ("figure", "measured", "limit", "beside", "measured / beside"):
        table.add_column(column, justify="left" if column in ("figure", "beside") else "right")
    for figure in figures:
        colour = "green" if figure.is_within_limit else "red"
        beside = ""
        if figure.reference is not None:
            beside = f"{figure.reference:,.4g} {figure.unit}: {figure.reference_name}"
        table.add_row(
            figure.name,
            f"[{colour}]{figure.value:,.4g} {figure.unit}[/]",
            figure.limit,
            beside,
            f"{figure.ratio:.2f}x" if figure.ratio is not None else "",
        )
    Console(width=None if sys.stdout.isatty() else 160).print(table)
