"""Making only changed countries again gives the tables and arrays of making all, to the bit."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from football_assets.features.dbt_build import build_features
from football_assets.features.rating_build import build_ratings
from football_assets.sequences.tensors import KEYS, build_tensors
from football_assets.storage.bucket import Bucket
from football_assets.storage.opening import open_bucket
from football_assets.storage.tables import read_table, table_objects, write_country_table, write_table
from football_assets_tests.builders.worlds import in_country, simulated_country

TABLES = ("stg_matches", "team_matches", "team_form", "team_ratings", "match_features")


class Warehouse:
    """A bucket of tables and the folders of arrays made from them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bucket: Bucket = open_bucket(str(folder / "bucket"))
        self.arrays: list[Path] = []
        self.log: list[str] = []

    def make(self, raw: pl.DataFrame) -> None:
        """Everything as the assets do."""
        write_table(self.bucket, "raw_matches", raw, "2010-11")
        scratch = self.folder / "scratch"
        build_features(self.bucket, list(TABLES[:3]), scratch, self.log.append)
        write_country_table(self.bucket, "team_ratings", build_ratings(self.bucket))
        build_features(self.bucket, [TABLES[4]], scratch, self.log.append)
        folder = self.folder / f"arrays-{len(self.arrays)}"
        folder.mkdir()
        build_tensors(self.bucket, folder)
        self.arrays.append(folder)

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
    made.make(world())
    return made


def assert_same(one: Warehouse, other: Warehouse) -> None:
    for name in TABLES:
        assert_frame_equal(one.table(name), other.table(name), check_exact=True)
    for path in sorted(other.arrays[-1].iterdir()):
        assert (one.arrays[-1] / path.name).read_bytes() == path.read_bytes(), path.name
    assert (one.arrays[-1] / KEYS).is_file()


def versions(warehouse: Warehouse) -> dict[str, str]:
    return {item.name: item.version for table in TABLES for item in table_objects(warehouse.bucket, table)}


def test_inserted_corrected_and_deleted_matches_give_what_making_all_gives(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    raw = altered(world(), "bb", seed=1)
    rest = altered(raw.filter(~pl.col("league_id").str.starts_with("cc.")), "dd", seed=2)
    warehouse.make(raw)
    before = versions(warehouse)
    warehouse.make(rest)  # and cc is gone
    assert "Made again: dd." in warehouse.log
    after = versions(warehouse)
    changed = {name for name in before if after.get(name) != before[name]}
    assert changed == {f"tables/{table}/{country}.parquet" for table in TABLES for country in ("cc", "dd")}
    assert not [name for name in after if "/cc." in name]

    whole = Warehouse(tmp_path)
    whole.make(rest)

    assert_same(warehouse, whole)


def test_after_a_broken_rule_the_countries_of_that_build_are_made_again(tmp_path: Path) -> None:
    own, raw = Warehouse(tmp_path), world()
    own.make(raw)
    broken = pl.concat([raw, raw.filter(pl.col("league_id").str.starts_with("cc.")).head(1)])
    write_table(own.bucket, "raw_matches", broken, "2010-11")
    results = build_features(own.bucket, ["stg_matches"], tmp_path / "scratch", own.log.append)
    assert not all(result.passed for result in results)

    own.make(altered(raw, "bb", seed=3))

    made = [line for line in own.log if line.startswith("Made again")]
    assert made == [
        *["Made again: aa, bb, cc, dd."] * 2,
        "Made again: cc.",
        "Made again: bb, cc.",
        "Made again: bb.",
    ]


def test_without_a_match_there_are_tables_and_arrays_without_a_row(tmp_path: Path) -> None:
    own = Warehouse(tmp_path)

    own.make(world().clear())

    assert [own.table(name).height for name in TABLES] == [0] * len(TABLES)
    own.make(world())
    assert [len(table_objects(own.bucket, name)) for name in TABLES] == [4] * len(TABLES)
