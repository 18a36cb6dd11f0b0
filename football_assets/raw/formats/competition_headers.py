"""Recognise the headers of the Kaggle competition's files, which `raw.kaggle` parses."""

from collections.abc import Sequence


def is_wide_header(names: Sequence[str]) -> bool:
    """Return whether the columns of a CSV, in lower case, are those of a wide file, complete or not."""
    return any(name.startswith(("home_team_history_", "away_team_history_")) for name in names)


def is_scores_header(names: Sequence[str]) -> bool:
    """Return whether the columns of a CSV, in lower case, are those of the score file.

    A file with dates is one of results, which may have an `id` and a `score` as well.
    """
    return {"id", "score"} <= set(names) and not is_wide_header(names) and not {"date", "team 1"} & set(names)
