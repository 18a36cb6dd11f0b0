"""Features of given results in a home that is thrown away."""

from pathlib import Path

import pytest

from football_assets.cli.scratch_home import materialize_in_scratch
from football_assets.errors import FootballError
from football_assets.storage.opening import open_bucket
from football_assets.storage.tables import read_table


def test_the_assets_are_in_the_bucket_of_the_home_and_nowhere_else(
    results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere, scratch = tmp_path / "elsewhere", tmp_path / "scratch"
    monkeypatch.setenv("FOOTBALL_BUCKET", str(elsewhere))

    settings = materialize_in_scratch(scratch, (results,), "+raw_matches")

    assert Path(settings.bucket_url).is_relative_to(scratch)
    assert set(read_table(open_bucket(settings.bucket_url), "raw_matches")["league_id"]) == {"eng.1"}
    assert not elsewhere.exists()


def test_a_step_that_fails_is_told_by_its_cause(results: Path, tmp_path: Path) -> None:
    with pytest.raises(FootballError, match="too few") as caught:
        materialize_in_scratch(tmp_path / "scratch", (results,), "+trained_lstm")
    assert str(tmp_path) not in str(caught.value)
