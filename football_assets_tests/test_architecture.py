"""The rules of the house, applied to the project. `make lint` checks layers, circles and what serve sees."""

from pathlib import Path

import pytest

from football_assets.runtime.home import project_root
from football_assets_tests.house.dialect import Finding
from football_assets_tests.house.rules import RULES, Violation
from football_assets_tests.house.violations import all_violations


@pytest.fixture(scope="module")
def found() -> tuple[list[Violation], list[Finding]]:
    return all_violations(Path(project_root()))


@pytest.mark.parametrize("rule", RULES)
def test_no_place_breaks_a_rule(rule: str, found: tuple[list[Violation], list[Finding]]) -> None:
    broken = [violation for violation in found[0] if violation.rule == rule]

    assert not broken, "\n".join(map(str, broken))


def test_all_texts_use_standard_terms(found: tuple[list[Violation], list[Finding]]) -> None:
    assert not found[1], "\n".join(map(str, found[1]))
