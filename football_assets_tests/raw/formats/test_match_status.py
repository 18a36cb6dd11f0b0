"""What marks beside a score mean."""

import pytest

from football_assets.raw.formats.match_status import MatchStatus, parse_status


@pytest.mark.parametrize(
    ("text", "mark"),
    [
        ("Finished", MatchStatus.PLAYED),
        ("P-P", MatchStatus.TO_PLAY),
        ("Postponed", MatchStatus.TO_PLAY),
        ("(*)", MatchStatus.NO_RESULT),
        ("a.w.", MatchStatus.NO_RESULT),
        ("w/o", MatchStatus.NO_RESULT),
        ("[null and void]", MatchStatus.NO_RESULT),
        ("a.e.t.", MatchStatus.EXTRA_TIME),
        ("n.V.", MatchStatus.EXTRA_TIME),
        ("", None),
        ("Arsenal", None),
    ],
)
def test_a_mark_means_the_same_in_every_spelling(text: str, mark: MatchStatus | None) -> None:
    assert parse_status(text) is mark
