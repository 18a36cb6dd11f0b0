"""The tag that gives the reason of a run."""

import pytest

from football_assets.automation.tags import REASON_CHARACTERS, REASON_TAG, reason_tag


@pytest.mark.parametrize("reason", ["3 new files", "x" * REASON_CHARACTERS])
def test_a_reason_that_fits_is_the_value_of_the_tag(reason: str) -> None:
    assert reason_tag(reason) == {REASON_TAG: reason}


def test_a_longer_reason_is_cut_to_what_the_ui_shows_and_ends_in_an_ellipsis() -> None:
    (value,) = reason_tag("x" * (REASON_CHARACTERS + 1)).values()

    assert value == "x" * (REASON_CHARACTERS - 2) + " …"
    assert len(value) == REASON_CHARACTERS
