"""Signals as in a terminal."""

import signal
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def hangup_is_not_ignored() -> Iterator[None]:
    """SIGHUP has a handler, also under nohup, which starts programs that ignore it. Processes inherit the default."""
    before = signal.getsignal(signal.SIGHUP)
    if before is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, lambda *_: None)
    yield
    signal.signal(signal.SIGHUP, before)
