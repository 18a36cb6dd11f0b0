"""Split the matches into consecutive periods: training, validation, test. A day belongs to one period."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from football_assets.errors import NotEnoughData
from football_assets.sequences.tensors import SequenceTensors
from football_assets.training.config import LEAST_YEARS, SplitConfig

MIN_MATCHES = 50


@dataclass(frozen=True)
class TimeSplit:
    """Rows of the played matches of each period, in order of time, and the first day of each period."""

    train: NDArray[np.int64]
    validation: NDArray[np.int64]
    test: NDArray[np.int64]
    train_start: date
    validation_start: date
    test_start: date
    end: date

    @property
    def validation_end(self) -> date:
        """Last day of validation."""
        return self.test_start - timedelta(days=1)

    def as_dict(self) -> dict[str, str]:
        """Return the first day of training and the last day of each period, as ISO dates."""
        return {
            "train_start": str(self.train_start),
            "train_end": str(self.validation_start - timedelta(days=1)),
            "validation_end": str(self.validation_end),
            "test_end": str(self.end),
        }


def split_by_time(tensors: SequenceTensors, config: SplitConfig) -> TimeSplit:
    """Split the played matches by time.

    Raises
    ------
    NotEnoughData
        Training or validation has fewer than 50 matches.
    """
    rows = np.flatnonzero(tensors.played)
    if len(rows) < 2 * MIN_MATCHES:
        raise NotEnoughData(f"{len(rows)} played matches are too few to train on: land more results.")
    days = tensors.days[rows]
    test_start = _as_day(config.test_start) or _day_at_share(days, 1 - config.test_share)
    before_test = days[days < test_start]
    if len(before_test) == 0:
        raise NotEnoughData(
            f"No played match lies before the test period's start {test_start}: choose a later day."
        )
    share = min(config.validation_share, config.most_validation / len(before_test))
    validation_start = _as_day(config.validation_start) or _day_at_share(before_test, 1 - share)
    train_start = _train_start(days[0], validation_start, config)
    train = rows[(days >= train_start) & (days < validation_start)]
    validation = rows[(days >= validation_start) & (days < test_start)]
    for name, part in (("training", train), ("validation", validation)):
        if len(part) < MIN_MATCHES:
            raise NotEnoughData(
                f"The {name} period has {len(part)} matches, fewer than {MIN_MATCHES}: land more results, "
                "or change split.validation_start, split.test_start, split.burn_in_days or split.train_start."
            )
    return TimeSplit(
        train=train,
        validation=validation,
        test=rows[days >= test_start],
        train_start=_as_date(train_start),
        validation_start=_as_date(validation_start),
        test_start=_as_date(test_start),
        end=_as_date(days[-1]),
    )


def _train_start(first: np.datetime64, validation_start: np.datetime64, config: SplitConfig) -> np.datetime64:
    """Return the first day of training: after the burn-in, and `config.train_start` where it leaves enough years."""
    settled = np.datetime64(first) + np.timedelta64(config.burn_in_days, "D")
    wanted = _as_day(config.train_start)
    if wanted is None or validation_start - wanted < np.timedelta64(LEAST_YEARS * 365, "D"):
        return settled
    return max(settled, wanted)


def _day_at_share(days: NDArray[np.datetime64], share: float) -> np.datetime64:
    """Return the day on which `share` of the matches have been played; the day after the last for a share of 1."""
    position = round(share * len(days))
    return days[position] if position < len(days) else days[-1] + np.timedelta64(1, "D")


def _as_day(day: date | None) -> np.datetime64 | None:
    return None if day is None else np.datetime64(day, "D")


def _as_date(day: np.datetime64) -> date:
    return day.astype("datetime64[D]").item()
