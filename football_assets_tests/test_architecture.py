"""The rules of the house, applied to the project. `make lint` checks layers, circles and what serve sees."""

from pathlib import Path

import pytest

from football_assets.runtime.home import project_root
from football_assets_tests.house.allowed import all_violations, new_violations, read_allowed, stale_entries
from football_assets_tests.house.rules import RULES, Violation


@pytest.fixture(scope="module")
def violations() -> list[Violation]:
    found, _ = all_violations(Path(project_root()))
    return found


@pytest.mark.parametrize("rule", [*RULES, "dialect"])
def test_no_new_place_breaks_a_rule(rule: str, violations: list[Violation]) -> None:
    new = new_violations((found for found in violations if found.rule == rule), read_allowed())

    assert not new, "\n".join(map(str, new))


def test_no_entry_of_the_allow_list_is_larger_than_needed(violations: list[Violation]) -> None:
    assert stale_entries(violations, read_allowed()) == []
