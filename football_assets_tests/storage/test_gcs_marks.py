"""Marks of conditional writes: a writer finds its own among the last eight, with the generation that it wrote."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from football_assets.storage.bucket import ObjectInfo
from football_assets.storage.gcs_marks import MARKS, find_write, marks_before

WRITTEN = datetime(2026, 1, 1, tzinfo=UTC)


def state_after(*marks: str) -> Any:
    """The object after conditional writes with these marks, whose generations count from 1."""
    state = SimpleNamespace(generation=0, metadata=None, time_created=WRITTEN)
    for generation, mark in enumerate(marks, start=1):
        metadata = {MARKS: " ".join([mark, *marks_before(state)])}
        state = SimpleNamespace(generation=generation, metadata=metadata, time_created=WRITTEN)
    return state


def test_the_last_write_and_the_ones_before_it_are_found_with_their_generations() -> None:
    state = state_after("a", "b", "c")

    found = {mark: find_write("object", 5, state, mark) for mark in ("a", "b", "c")}

    assert found == {
        mark: ObjectInfo("object", version, 5, WRITTEN)
        for mark, version in (("a", "1"), ("b", "2"), ("c", "3"))
    }


def test_a_write_that_was_not_applied_is_not_found() -> None:
    assert find_write("object", 5, state_after("a", "b"), "c") is None
    assert find_write("object", 5, state_after("ab"), "a") is None


def test_an_object_written_without_a_mark_has_none() -> None:
    unmarked = SimpleNamespace(generation=4, metadata=None, time_created=WRITTEN)

    assert marks_before(unmarked) == []
    assert find_write("object", 5, unmarked, "a") is None


def test_eight_marks_are_kept() -> None:
    state = state_after(*"abcdefghij")

    assert [mark for mark in "abcdefghij" if find_write("object", 5, state, mark)] == list("cdefghij")
