"""The places that may still break a rule, in `allowed.toml`, with what is allowed of each. The list may only shrink."""

import tomllib
from collections.abc import Iterable
from pathlib import Path

from football_assets_tests.house.dialect import Finding, count_by_room, find_all
from football_assets_tests.house.rules import RULES, Violation
from football_assets_tests.house.sources import read_sources

Allowed = dict[str, dict[str, int]]


def read_allowed() -> Allowed:
    """Read the allow-list: rule, place, largest size."""
    content = tomllib.loads((Path(__file__).parent / "allowed.toml").read_text(encoding="utf-8"))
    return {rule: dict(places) for rule, places in content.items()}


def new_violations(violations: Iterable[Violation], allowed: Allowed) -> list[Violation]:
    """Return the violations that the allow-list has not, or only at a smaller size."""
    return [
        violation
        for violation in violations
        if violation.size > allowed.get(violation.rule, {}).get(violation.place, 0)
    ]


def stale_entries(violations: Iterable[Violation], allowed: Allowed) -> list[str]:
    """Return the entries of the allow-list that no violation needs, or that allow more than there is."""
    sizes = {(violation.rule, violation.place): violation.size for violation in violations}
    return [
        f"allowed.toml: [{rule}] {place!r} allows {bound}, there is {size}: lower or delete the entry"
        for rule, places in allowed.items()
        for place, bound in places.items()
        if (size := sizes.get((rule, place), 0)) < bound
    ]


def dialect_violations(findings: list[Finding]) -> list[Violation]:
    """Return one violation a room, as large as the number of phrases of the dialect in it."""
    return [
        Violation("dialect", room, count, f"{count} phrases of the old dialect, see docs/glossary.md")
        for room, count in sorted(count_by_room(findings).items())
    ]


def all_violations(root: Path) -> tuple[list[Violation], list[Finding]]:
    """Apply every rule to the project; return the violations, and the phrases of the dialect one by one."""
    sources = read_sources(root)
    findings = find_all(root, sources)
    return [
        *(violation for rule in RULES.values() for violation in rule(sources)),
        *dialect_violations(findings),
    ], findings
