"""Building only changed countries gives the tables and arrays of a build of all, to the bit."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
from polars.testing import assert_frame_equal

from football_assets.domain.columns import country_column
from football_assets.features.dbt_build import build_features
from football_assets.sequences.tensors import KEYS, build_tensors, open_tensors
from football_assets.storage.bucket import Bucket
from football_assets.storage.opening import open_bucket
from football_assets.storage.tables import read_table, read_table_of, table_objects
from football_assets_tests.builders.rated_tables import rated_tables
from football_assets_tests.builders.tables import write_by_country
from football_assets_tests.builders.worlds import in_country, simulated_country

EVERY = ["aa", "bb", "cc", "dd"]
DBT = ("stg_matches", "team_matches", "team_form", "match_features")
TABLES = (*DBT, "team_ratings", "team_market_ratings", "team_shot_ratings")


class Warehouse:
    """A bucket of tables and the folders of arrays encoded from them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bucket: Bucket = open_bucket(str(folder / "bucket"))
        self.arrays: list[Path] = []
        self.log: list[str] = []

    def build(self, raw: pl.DataFrame, countries: Sequence[str]) -> None:
        """Build some countries as the assets do, and the arrays of all."""
        write_by_country(
            self.bucket, "raw_matches", raw.filter(country_column().is_in(list(countries))), countries
        )
        scratch = self.folder / "scratch"
        build_features(self.bucket, list(DBT[:3]), countries, scratch, self.log.append)
        matches = read_table_of(self.bucket, "stg_matches", countries)
        for name, rated in rated_tables(matches).items():
            write_by_country(self.bucket, name, rated, countries)
        build_features(self.bucket, [DBT[3]], countries, scratch, self.log.append)
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


def assert_same(one: Warehouse, other: Warehouse) -> None:
    for name in TABLES:
        assert_frame_equal(one.table(name), other.table(name), check_exact=True)
    for path in sorted(other.arrays[-1].iterdir()):
        assert (one.arrays[-1] / path.name).read_bytes() == path.read_bytes(), path.name
    assert (one.arrays[-1] / KEYS).is_file()


def versions(warehouse: Warehouse) -> dict[str, str]:
    return {item.name: item.version for table in TABLES for item in table_objects(warehouse.bucket, table)}


def test_inserted_corrected_and_deleted_matches_give_what_building_all_gives(tmp_path: Path) -> None:
    own = Warehouse(tmp_path / "own")
    own.build(world(), ["aa"])  # apart from the others
    own.build(world(), EVERY[1:])
    raw = altered(world(), "bb", seed=1)
    rest = altered(raw.filter(~pl.col("league_id").str.starts_with("cc.")), "dd", seed=2)
    own.build(raw, ["bb"])
    before = versions(own)
    own.build(rest, ["cc", "dd"])  # no match of cc is left
    after = versions(own)
    changed = {name for name in before if after[name] != before[name]}
    assert changed == {f"tables/{table}/{country}.parquet" for table in TABLES for country in ("cc", "dd")}

    whole = Warehouse(tmp_path / "whole")
    whole.build(rest, EVERY)

    assert_same(own, whole)


def test_without_a_match_there_are_tables_and_arrays_without_a_row(tmp_path: Path) -> None:
    own = Warehouse(tmp_path)

    own.build(world().clear(), ["aa"])

    assert [own.table(name).height for name in TABLES] == [0] * len(TABLES)
    assert len(open_tensors(own.arrays[-1])) == 0
