"""The result of a fault of `faults.py`."""

from dataclasses import dataclass, field
from typing import Any

from benchmarks.speed.servers import say


@dataclass
class Outcome:
    """What a fault showed. `broken`: promises that did not hold, in words."""

    name: str
    figures: dict[str, Any] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)

    def promise(self, holds: bool, text: str) -> None:
        """Record whether a promise holds."""
        say(f"  {'kept  ' if holds else 'BROKEN'} {text}")
        if not holds:
            self.broken.append(text)
