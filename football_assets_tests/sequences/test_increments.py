"""Making only changed countries again gives the tables and arrays of making all, to the bit."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from football_assets.bucket import Bucket, open_bucket
from football_assets.features import ratings as rating_module
from football_assets.features.dbt_build import build_features
from football_assets.features.ratings import rate_changed, rate_matches
from football_assets.increments import changed_countries, code_digest, country_keys
from football_assets.sequences.tensors import KEYS, write_tensors
from football_assets.tables import read_made_table, read_table, write_table
from football_assets_tests.worlds import in_country, simulated_country

TABLES = ("stg_matches", "team_matches", "team_form", "team_ratings", "match_features")


class Warehouse:
    """A bucket of tables and the folders of arrays made from them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bucket: Bucket = open_bucket(str(folder / "bucket"))
        self.arrays: list[Path] = []
        self.log: list[str] = []

    def make(self, raw: pl.DataFrame) -> list[str] | None:
        """Everything as the assets do; returns the countries whose matches were encoded."""
        write_table(self.bucket, "raw_matches", raw, "2010-11")
        scratch = self.folder / "scratch"
        build_features(self.bucket, list(TABLES[:3]), scratch, self.log.append)
        matches = read_table(self.bucket, "stg_matches")
        keys = country_keys([matches], code_digest(Path(rating_module.__file__)))
        earlier = read_made_table(self.bucket, "team_ratings")
        again = changed_countries(keys, earlier.made_from if earlier else None, matches)
        ratings = rate_changed(matches, earlier.frame if earlier else None, again)
        write_table(self.bucket, "team_ratings", ratings, made_from=keys)
        build_features(self.bucket, [TABLES[4]], scratch, self.log.append)
        folder = self.folder / f"arrays-{len(self.arrays)}"
        folder.mkdir()
        encoded = write_tensors(
            self.table("match_features"),
            self.table("team_matches"),
            self.table("team_ratings"),
            folder,
            earlier=self.arrays[-1] if self.arrays else None,
        )
        self.arrays.append(folder)
        return encoded

    def table(self, name: str) -> pl.DataFrame:
        return read_table(self.bucket, name)


def world() -> pl.DataFrame:
    first = simulated_country("aa", seasons=1, teams=5, unplayed_rounds=2)
    return pl.concat([first, *(in_country(first, name) for name in ("bb", "cc", "dd"))])


def altered(raw: pl.DataFrame, country: str, seed: int) -> pl.DataFrame:
    """Some matches of a country deleted, others corrected, played or withdrawn, one moved to another day."""
    generator = np.random.default_rng(seed)
    mine = pl.col("league_id").str.starts_with(f"{country}.")
    rows = raw.filter(mine)
    kept = rows.filter(pl.Series(generator.random(rows.height) > 0.1))
    fate = pl.Series(generator.random(kept.height))
    goals = pl.Series(generator.integers(0, 5, kept.height)).cast(pl.Int16)
    some = (fate < 0.2, fate < 0.25)
    for side in ("home_goals", "away_goals"):
        kept = kept.with_columns(
            pl.when(some[0]).then(goals).when(some[1]).then(None).otherwise(side).alias(side)
        )
    return pl.concat([raw.filter(~mine), kept])


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    made = Warehouse(tmp_path_factory.mktemp("incremental"))
    assert made.make(world()) is None
    return made


def assert_same(one: Warehouse, other: Warehouse) -> None:
    for name in TABLES:
        assert_frame_equal(one.table(name), other.table(name), check_exact=True)
    for path in sorted(other.arrays[-1].iterdir()):
        assert (one.arrays[-1] / path.name).read_bytes() == path.read_bytes(), path.name
    assert (one.arrays[-1] / KEYS).is_file()


def test_inserted_corrected_and_deleted_matches_give_what_making_all_gives(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    raw = altered(world(), "bb", seed=1)
    rest = altered(raw.filter(~pl.col("league_id").str.starts_with("cc.")), "dd", seed=2)
    assert warehouse.make(raw) == ["bb"]
    assert warehouse.make(rest) == ["dd"]  # and cc is gone
    assert any("made again: dd." in line for line in warehouse.log)

    whole = Warehouse(tmp_path)
    assert whole.make(rest) is None

    assert_same(warehouse, whole)


def test_after_a_broken_rule_all_is_made_again(warehouse: Warehouse, tmp_path: Path) -> None:
    raw = world()
    own = Warehouse(tmp_path)
    own.bucket = open_bucket(str(tmp_path / "bucket"))
    write_table(own.bucket, "raw_matches", pl.concat([raw, raw.head(1)]), "2010-11")
    results = build_features(own.bucket, ["stg_matches"], tmp_path / "scratch")
    assert not all(result.passed for result in results)

    lines: list[str] = []
    write_table(own.bucket, "raw_matches", altered(raw, "bb", seed=3), "2010-11")
    build_features(own.bucket, ["stg_matches"], tmp_path / "scratch", lines.append)

    assert not any("made again" in line for line in lines)


@pytest.mark.parametrize("seed", range(8))
def test_rating_changed_countries_gives_what_rating_all_gives(warehouse: Warehouse, seed: int) -> None:
    before = warehouse.table("stg_matches")
    after = altered(before, "aa" if seed % 2 else "bb", seed).with_columns(
        is_played=pl.col("home_goals").is_not_null()
    )
    keys = [country_keys([table], "code") for table in (before, after)]
    again = changed_countries(keys[1], keys[0], after)
    assert again == ["aa" if seed % 2 else "bb"]
    assert_frame_equal(
        rate_changed(after, rate_matches(before), again), rate_matches(after), check_exact=True
    )
