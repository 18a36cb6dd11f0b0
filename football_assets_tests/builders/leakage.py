"""Property of all ratings: what is known before a day does not depend on that day or later ones."""

from collections.abc import Callable, Sequence
from datetime import timedelta

import polars as pl
from polars.testing import assert_frame_equal

from football_assets_tests.builders.measured_matches import Measured, measured_matches
from football_assets_tests.builders.stg_matches import START


def with_shuffled_facts(rows: Sequence[Measured], day: int, order: Sequence[int]) -> list[Measured]:
    """Permute goals, odds and statistics of the matches from a day on among themselves.

    Parameters
    ----------
    order
        A permutation of the indices of the rows; those of later rows give their new order.
    """
    later = [index for index in range(len(rows)) if rows[index].day >= day]
    source = dict(zip(later, (index for index in order if index in set(later)), strict=True))
    facts = [{name: getattr(row, name) for name in Measured._fields[4:]} for row in rows]
    return [row._replace(**facts[source.get(index, index)]) for index, row in enumerate(rows)]


def assert_nothing_leaks(
    rate: Callable[[pl.DataFrame], pl.DataFrame],
    before: Sequence[str],
    rows: Sequence[Measured],
    shuffled: Sequence[Measured],
    day: int,
) -> None:
    """Assert that rows before the day are equal in all columns, those of the day in the columns `before` it."""
    first, second = (rate(measured_matches(each)) for each in (rows, shuffled))
    date = START + timedelta(days=day)
    earlier, on_day = pl.col("kickoff_date") < date, pl.col("kickoff_date") == date
    assert_frame_equal(first.filter(earlier), second.filter(earlier), check_exact=True)
    keys = ["match_id", "team_id", "is_home"]
    assert_frame_equal(
        first.filter(on_day).select(*keys, *before),
        second.filter(on_day).select(*keys, *before),
        check_exact=True,
    )
