"""Periods follow one another in time and share no day."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from football_assets.errors import NotEnoughData
from football_assets.sequences.tensors import SequenceTensors
from football_assets.training.config import SplitConfig
from football_assets.training.split import MIN_MATCHES, split_by_time
from football_assets_tests.builders.planted import planted_tensors

FIRST_DAY = date(2015, 1, 1)
EMPTY = planted_tensors(matches=31)


def tensors_on(days: list[int], unplayed: int = 0) -> SequenceTensors:
    """Matches on days counted from the first, the last of them unplayed."""
    count = len(days)
    outcome = np.zeros(count, dtype=np.int64)
    if unplayed:
        outcome[-unplayed:] = -1
    keys = pl.DataFrame({"kickoff_date": [FIRST_DAY + timedelta(days=day) for day in sorted(days)]})
    return replace(EMPTY, outcome=outcome, keys=keys)


def day(number: int) -> date:
    return FIRST_DAY + timedelta(days=number)


# A thousand days with a match each.
DAILY = tensors_on(list(range(1000)))


def test_shares_are_of_the_matches_and_validation_is_a_share_of_what_is_before_the_test() -> None:
    split = split_by_time(DAILY, SplitConfig(test_share=0.2, validation_share=0.25, burn_in_days=100))

    assert split.train.tolist() == list(range(100, 600))
    assert split.validation.tolist() == list(range(600, 800))
    assert split.test.tolist() == list(range(800, 1000))
    assert split.as_dict() == {
        "train_start": str(day(100)),
        "train_end": str(day(599)),
        "validation_end": str(day(799)),
        "test_end": str(day(999)),
    }


def test_validation_has_a_largest_number_of_matches_whatever_its_share() -> None:
    config = SplitConfig(test_share=0.2, validation_share=0.25, burn_in_days=100)

    capped = split_by_time(DAILY, config.model_copy(update={"most_validation": 150}))
    uncapped = split_by_time(DAILY, config.model_copy(update={"most_validation": 201}))

    assert capped.validation.tolist() == list(range(650, 800))
    assert capped.train.tolist() == list(range(100, 650))
    assert uncapped.validation.tolist() == list(range(600, 800))


def test_days_given_override_shares() -> None:
    config = SplitConfig(validation_start=day(300), test_start=day(400), burn_in_days=0)

    split = split_by_time(DAILY, config)

    assert [len(rows) for rows in (split.train, split.validation, split.test)] == [300, 100, 600]
    assert (split.train_start, split.validation_start, split.test_start) == (day(0), day(300), day(400))


LONG = tensors_on(list(range(0, 3000, 3)))


@pytest.mark.parametrize(
    ("train_start", "validation_start", "first"),
    [
        (day(600), day(600 + 4 * 365), day(600)),
        (day(600), day(599 + 4 * 365), day(30)),  # too few years would be left
        (day(12), day(2700), day(30)),  # the burn-in is later
        (None, day(2700), day(30)),
    ],
)
def test_training_starts_on_a_day_of_choice_where_it_leaves_four_years(
    train_start: date | None, validation_start: date, first: date
) -> None:
    config = SplitConfig(
        burn_in_days=30, train_start=train_start, validation_start=validation_start, test_start=day(2900)
    )

    split = split_by_time(LONG, config)

    assert split.train_start == first
    assert LONG.days[split.train[0]].astype(object) == first
    assert LONG.days[split.validation[0]].astype(object) >= validation_start


def test_matches_before_july_2005_are_history_only_by_default() -> None:
    assert SplitConfig().train_start == date(2005, 7, 1)


def test_the_backtests_start_may_lie_after_the_last_match() -> None:
    split = split_by_time(DAILY, SplitConfig(test_start=day(5000), burn_in_days=0))

    assert len(split.test) == 0
    assert split.validation[-1] == 999


def test_without_a_test_share_all_matches_are_learnt_from() -> None:
    split = split_by_time(DAILY, SplitConfig(test_share=0, burn_in_days=0))

    assert len(split.test) == 0
    assert len(split.train) + len(split.validation) == 1000
    assert split.as_dict()["validation_end"] == split.as_dict()["test_end"] == str(day(999))


def test_fixtures_belong_to_no_period() -> None:
    split = split_by_time(tensors_on(list(range(1000)), unplayed=40), SplitConfig(burn_in_days=0))

    rows = np.concatenate([split.train, split.validation, split.test])
    assert rows.tolist() == list(range(960))
    assert split.end == day(959)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(0, 40), min_size=150, max_size=300),
    st.floats(0.2, 0.5),
    st.floats(0.05, 0.3),
    st.integers(0, 20),
)
def test_periods_are_in_order_share_no_day_and_leave_out_the_burn_in_only(
    days: list[int], validation_share: float, test_share: float, burn_in_days: int
) -> None:
    tensors = tensors_on(days, unplayed=10)
    config = SplitConfig(validation_share=validation_share, test_share=test_share, burn_in_days=burn_in_days)
    try:
        split = split_by_time(tensors, config)
    except NotEnoughData:
        return

    train, validation, test = (
        {tensors.days[row].astype(object) for row in rows}
        for rows in (split.train, split.validation, split.test)
    )
    settled = day(min(days) + burn_in_days)
    assert settled <= min(train)
    assert max(train) < split.validation_start <= min(validation)
    assert max(validation) < split.test_start
    assert not test or split.test_start <= min(test)
    rows = np.concatenate([split.train, split.validation, split.test])
    expected = [row for row in range(len(tensors) - 10) if tensors.days[row].astype(object) >= settled]
    assert rows.tolist() == expected
    assert min(len(split.train), len(split.validation)) >= MIN_MATCHES


@pytest.mark.parametrize(
    ("tensors", "config", "message"),
    [
        (tensors_on([]), SplitConfig(), "0 played matches are too few to train on: land more results"),
        (tensors_on(list(range(99))), SplitConfig(), "99 played matches are too few"),
        (tensors_on(list(range(200)), unplayed=150), SplitConfig(), "50 played matches are too few"),
        (
            DAILY,
            SplitConfig(test_start=day(0)),
            f"before the test period's start {day(0)}: choose a later day",
        ),
        (
            DAILY,
            SplitConfig(validation_start=day(400), test_start=day(400)),
            "The validation period has 0 matches, fewer than 50: land more results, or change split.validation_start",
        ),
        (DAILY, SplitConfig(validation_start=day(20)), "The training period has 0 matches"),
        (DAILY, SplitConfig(burn_in_days=5000), "The training period has 0 matches"),
        (tensors_on([7] * 500), SplitConfig(burn_in_days=0), "choose a later day"),
    ],
)
def test_too_few_matches_are_told_with_the_period_and_what_to_change(
    tensors: SequenceTensors, config: SplitConfig, message: str
) -> None:
    with pytest.raises(NotEnoughData) as caught:
        split_by_time(tensors, config)

    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
