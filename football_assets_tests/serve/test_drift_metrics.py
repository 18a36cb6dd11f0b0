"""The gauges of the latest drift report, over the processes of a machine."""

from collections.abc import Callable

from football_assets_tests.builders.metric_processes import Replica, value


def test_what_was_read_last_of_the_drift_report_is_shown_once(start_replica: Callable[[], Replica]) -> None:
    first, second = start_replica(), start_replica()
    assert value(first.samples(), "drift_share") is None, "no report, no share"
    first.do("drift.set", 0.25, None, {"odds": 1, "shots": 0})
    second.do("drift.set", 0.5, 1.02, {"odds": 3, "shots": 0})

    assert value(first.samples(), "drift_share") == 0.5
    assert value(second.samples(), "live_log_loss") == 1.02
    assert value(second.samples(), "stopped_feed_leagues", feed="odds") == 3
    assert value(second.samples(), "stopped_feed_leagues", feed="shots") == 0


def test_a_report_of_before_there_were_feeds_has_no_series_of_them(
    start_replica: Callable[[], Replica],
) -> None:
    replica = start_replica()

    replica.do("drift.set", 0.25, None, {})

    assert value(replica.samples(), "stopped_feed_leagues", feed="odds") is None
