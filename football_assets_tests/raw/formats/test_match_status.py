"""What marks beside a score mean."""

import pytest

from football_assets.raw.formats.match_status import Mark, mark_of


@pytest.mark.parametrize(
    ("text", "mark"),
    [
        ("Finished", Mark.PLAYED),
        ("P-P", Mark.TO_PLAY),
        ("Postponed", Mark.TO_PLAY),
        ("(*)", Mark.NO_RESULT),
        ("a.w.", Mark.NO_RESULT),
        ("w/o", Mark.NO_RESULT),
        ("[null and void]", Mark.NO_RESULT),
        ("a.e.t.", Mark.EXTRA_TIME),
        ("n.V.", Mark.EXTRA_TIME),
        ("", None),
        ("Arsenal", None),
    ],
)
def test_a_mark_means_the_same_in_every_spelling(text: str, mark: Mark | None) -> None:
    assert mark_of(text) is mark
