"""The allow-list: what is new, what is larger, and what is no longer needed."""

from football_assets_tests.house.allowed import (
    dialect_violations,
    new_violations,
    read_allowed,
    stale_entries,
)
from football_assets_tests.house.dialect import find_in_text
from football_assets_tests.house.rules import RULES, Violation

ALLOWED = {"file_length": {"a.py": 400, "gone.py": 500}}


def file_of(path: str, lines: int) -> Violation:
    return Violation("file_length", path, lines, "is long")


def test_an_allowed_place_may_not_grow_and_others_are_new() -> None:
    found = [file_of("a.py", 400), file_of("a.py", 401), file_of("b.py", 360)]

    assert new_violations(found, ALLOWED) == found[1:]


def test_an_entry_that_allows_more_than_there_is_is_stale() -> None:
    stale = stale_entries([file_of("a.py", 390)], ALLOWED)

    assert stale == [
        "allowed.toml: [file_length] 'a.py' allows 400, there is 390: lower or delete the entry",
        "allowed.toml: [file_length] 'gone.py' allows 500, there is 0: lower or delete the entry",
    ]
    assert stale_entries([file_of("a.py", 400), file_of("gone.py", 500)], ALLOWED) == []


def test_the_dialect_of_a_room_is_one_violation_as_large_as_its_phrases() -> None:
    findings = [*find_in_text("serve/a.py", "refused, told"), *find_in_text("docs/a.md", "told")]

    assert [(violation.place, violation.size) for violation in dialect_violations(findings)] == [
        ("docs", 1),
        ("serve", 2),
    ]


def test_the_allow_list_names_rules_that_exist() -> None:
    assert set(read_allowed()) <= {*RULES, "dialect"}
