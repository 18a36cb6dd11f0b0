"""Parse the status that sources write beside or instead of a score, like `postponed`, `awarded` or `aet`."""

import re
from enum import StrEnum


class MatchStatus(StrEnum):
    """The status of a match."""

    PLAYED = "played"
    TO_PLAY = "to be played"
    NO_RESULT = "without a result of play"
    EXTRA_TIME = "decided after 90 minutes"


_WORDS = {
    MatchStatus.PLAYED: "finished played ft fulltime",
    MatchStatus.TO_PLAY: "scheduled postponed postp ppd pp tbd timed notstarted",
    MatchStatus.NO_RESULT: "awarded award awd aw annulled abandoned abd aban aa cancelled canceled canc cancelledmatch "
    "forfeit forfeited interrupted susp suspended void voided walkover wo withdrawn nullandvoid notplayed *",
    MatchStatus.EXTRA_TIME: "aet et afterextratime nv pen pens penalties pso psopen p np ie ap afterpenalties aetpen",
}
_MARKS = {word: mark for mark, words in _WORDS.items() for word in words.split()}


def parse_status(text: str) -> MatchStatus | None:
    """Parse a status regardless of case, brackets and full stops. Return None if it is unknown.

    >>> [parse_status(text) for text in ("(a.w.)", "[Abandoned]", "P-P", "sunny")]
    [<MatchStatus.NO_RESULT: 'without a result of play'>, <MatchStatus.NO_RESULT: 'without a result of play'>, \
<MatchStatus.TO_PLAY: 'to be played'>, None]
    """
    return _MARKS.get(re.sub(r"[^a-z*]", "", text.lower()))
