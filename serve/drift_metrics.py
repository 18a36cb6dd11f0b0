"""The gauges of the latest drift report."""

import math
from collections.abc import Callable, Mapping
from functools import cached_property

from prometheus_client import Gauge


class DriftMetrics:
    """Figures of the latest drift report that a process has read.

    A gauge starts at 0, which these would report as a figure: each is created when a report has one.

    Parameters
    ----------
    make_gauge
        Creates a gauge, given its name, its documentation and its labels.
    """

    def __init__(self, make_gauge: Callable[[str, str, tuple[str, ...]], Gauge]) -> None:
        self._make_gauge = make_gauge

    @cached_property
    def share(self) -> Gauge:
        """The share of drifted columns."""
        return self._make_gauge("drift_share", "Share of drifted columns in the latest drift report.", ())

    @cached_property
    def live_log_loss(self) -> Gauge:
        """The log loss of forecasts whose result is known."""
        return self._make_gauge(
            "live_log_loss", "Log loss of forecasts whose result is known, in the latest drift report.", ()
        )

    @cached_property
    def stopped_feed_leagues(self) -> Gauge:
        """The number of leagues in which a feed stopped."""
        return self._make_gauge(
            "stopped_feed_leagues",
            "Leagues whose results land without the odds or shots that they had, in the latest drift report.",
            ("feed",),
        )

    def set(
        self, drift_share: float | None, live_log_loss: float | None, stopped_feeds: Mapping[str, int]
    ) -> None:
        """Record the figures of a report.

        A share or a log loss of None (status `insufficient_data`) is rendered as NaN if an earlier report had a figure,
        else not at all.

        Parameters
        ----------
        drift_share, live_log_loss
            Of `DriftSummary`.
        stopped_feeds
            Number of leagues in which a feed stopped, by feed.
        """
        if drift_share is not None or "share" in self.__dict__:
            self.share.set(math.nan if drift_share is None else drift_share)
        if live_log_loss is not None or "live_log_loss" in self.__dict__:
            self.live_log_loss.set(math.nan if live_log_loss is None else live_log_loss)
        for feed, leagues in stopped_feeds.items():
            self.stopped_feed_leagues.labels(feed).set(leagues)
