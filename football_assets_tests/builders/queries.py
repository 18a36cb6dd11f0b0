"""Three fixtures of three leagues, and the records that a service has logged of them."""

from datetime import date
from typing import Any

from football_assets_tests.builders.running import fixture_query
from serve.prediction_log import read_segment
from serve.service import ForecastService

DAY = date(2016, 6, 1)


QUERIES = [
    fixture_query(f"r/{n}", "batch", league, home, away, DAY)
    for n, (league, home, away) in enumerate(
        [
            ("eng.1", "Arsenal", "Chelsea"),
            ("de.1", "FC Bayern München", "1. FC Köln"),
            ("it.1", "Juventus", "Roma"),
        ]
    )
]


def logged(service: ForecastService) -> list[dict[str, Any]]:
    """Records in the spool."""
    return [
        record
        for path in sorted(service.log.spool.glob("*.jsonl"))
        for record in read_segment(path.read_bytes())
    ]
