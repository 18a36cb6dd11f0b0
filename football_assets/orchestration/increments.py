"""Which countries of a table have to be made again when results change, and which stay as they are.

No feature of a country depends on a match of another: teams, leagues and their ratings belong to it. So a table of
features is an object a country, and each says in the footer of its Parquet file what its rows were made from: the
versions of what was read, and the code. `features` and `sequences` make only the countries again of which that is not
true any more: of the others no more than the footer is looked at.
"""

import functools
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

import polars as pl

MADE_FROM = "football_made_from"  # entry of a Parquet file's footer
_SEEDS = (5, 11)
_LIBRARIES = ("duckdb", "numpy", "polars")


def country() -> pl.Expr:
    """Country of a row by its `league_id`: `eng` of `eng.1`."""
    return pl.col("league_id").str.splitn(".", 2).struct.field("field_0").alias("country")


def is_of(countries: Sequence[str]) -> pl.Expr:
    """Whether a row, by its `league_id`, belongs to one of the countries."""
    return country().is_in(list(countries))


def by_country(table: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """The rows of each country, in the order in which they stand; countries in order of name."""
    parts = table.with_columns(country().alias("__country")).partition_by(
        "__country", maintain_order=True, include_key=False, as_dict=True
    )
    return {str(name): part for (name,), part in sorted(parts.items())}


def row_hashes(table: pl.DataFrame) -> dict[str, str]:
    """What each country's rows of a table are, whatever their order: 128 bits a league, and the schema."""
    hashes = {f"hash_{seed}": table.hash_rows(seed=seed) for seed in _SEEDS}
    # A sum of hashes does not depend on the order of the rows.
    leagues = table.select("league_id", **hashes).group_by("league_id").agg(pl.len(), pl.col(*hashes).sum())
    digests: dict[str, hashlib.blake2b] = {}
    for name, *content in leagues.select(country(), pl.all()).sort("league_id").iter_rows():
        digest = digests.setdefault(name, hashlib.blake2b(str(table.schema).encode(), digest_size=16))
        digest.update(f"\0{content}".encode())
    return {name: digest.hexdigest() for name, digest in sorted(digests.items())}


def country_keys(inputs: Iterable[Mapping[str, str]], code: str) -> dict[str, str]:
    """What each country's rows are made from.

    Parameters
    ----------
    inputs
        Of each table that is read, which version each country's rows are.
    code
        Digest of what makes the rows, of `code_digest`.

    Returns
    -------
    dict[str, str]
        A digest of each country that is in any of the tables.
    """
    tables = list(inputs)
    return {
        name: hashlib.blake2b(
            json.dumps([code, *(table.get(name) for table in tables)]).encode(), digest_size=16
        ).hexdigest()
        for name in sorted({name for table in tables for name in table})
    }


def changed_countries(keys: Mapping[str, str], *noted: Mapping[str, str]) -> list[str]:
    """Countries whose rows must be made again.

    Parameters
    ----------
    keys
        What the rows are made from now.
    noted
        What each of the tables that are made together says that its rows were made from.

    Returns
    -------
    list[str]
        All where nothing has changed: then a person wants them made again. A country without a row any more is not
        among them.
    """
    changed = [name for name, key in keys.items() if any(table.get(name) != key for table in noted)]
    nothing_new = not changed and all(table.keys() == keys.keys() for table in noted)
    return list(keys) if nothing_new else changed


def footer(key: str) -> dict[str, str]:
    """Entries of a Parquet file's footer that say what its rows were made from."""
    return {MADE_FROM: key}


def made_from(source: Path | bytes) -> str | None:
    """What the rows of a Parquet file, or of its content, were made from; None where it does not say."""
    return pl.read_parquet_metadata(source).get(MADE_FROM)


def code_digest(*sources: Path | str) -> str:
    """Digest of source files, of texts, and of what else decides about bits: libraries and processor."""
    digest = hashlib.blake2b("\0".join((*map(version, _LIBRARIES), _processor())).encode(), digest_size=16)
    for source in sources:
        digest.update(b"\0" + (source.encode() if isinstance(source, str) else source.read_bytes()))
    return digest.hexdigest()


@functools.cache
def _processor() -> str:
    """Instructions that numpy uses: with others, `exp` may differ in the last bit."""
    import numpy as np

    return json.dumps(np.show_config(mode="dicts")["SIMD Extensions"])
