"""Every rule of the house, applied to the project."""

from pathlib import Path

from football_assets_tests.house.dialect import Finding, find_all
from football_assets_tests.house.rules import RULES, Violation
from football_assets_tests.house.sources import read_sources


def all_violations(root: Path) -> tuple[list[Violation], list[Finding]]:
    """Apply every rule to the project; return the violations, and the phrases of the dialect."""
    sources = read_sources(root)
    return [violation for rule in RULES.values() for violation in rule(sources)], find_all(root, sources)
