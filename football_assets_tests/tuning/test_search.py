"""What the search reports of its trials; `test_sweep.py` runs searches on Ray."""

import logging
from typing import Any

import pytest

from football_assets.tuning.search import failure_cause, progress_callback
from football_assets_tests.builders.trials import a_trial


class WrappedError(RuntimeError):
    """An error with the cause that Ray attaches."""

    def __init__(self, message: str, cause: Any) -> None:
        super().__init__(message)
        self.cause = cause


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (None, "it died"),
        (RuntimeError(""), "it died"),
        (RuntimeError("Traceback ...\n  line\nTraining diverged\n"), "Training diverged"),
        (WrappedError("the actor died", ValueError("loss is nan")), "loss is nan"),
    ],
)
def test_the_cause_of_a_failure_is_the_last_line_of_the_innermost_error(
    error: BaseException | None, cause: str
) -> None:
    assert failure_cause(error) == cause


def test_the_callback_is_pickled_without_the_log_that_it_writes_to() -> None:
    from ray import cloudpickle

    logger = logging.Logger("of a run")  # like Dagster's, it cannot be pickled
    callback = progress_callback({0: a_trial(0)}, logger.info)

    cloudpickle.loads(cloudpickle.dumps(callback))
