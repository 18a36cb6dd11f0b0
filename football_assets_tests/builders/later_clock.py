"""A pytest plugin that sets `time.time` an hour ahead, for `-p football_assets_tests.builders.later_clock`."""

import time

_now = time.time


def _later() -> float:
    return _now() + 3600


time.time = _later
