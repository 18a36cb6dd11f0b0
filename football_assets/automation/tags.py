"""Tags of the runs that sensors request: the reason that the UI shows, and the event that a later tick filters by."""

EVENT_TAG = "football/event"  # what the run answers; the same for every attempt at it
REASON_TAG = "football/reason"
TRAINS_TAG = "football/trains"  # dagster.yaml lets one run with it through at a time

REASON_CHARACTERS = 250


def reason_tag(reason: str) -> dict[str, str]:
    """Return the tag with the reason of a run, cut to a length that the UI shows."""
    if len(reason) > REASON_CHARACTERS:
        reason = reason[: REASON_CHARACTERS - 2] + " …"
    return {REASON_TAG: reason}
