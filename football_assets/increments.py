"""Which countries of a table have to be made again when results change, and which stay as they are.

No feature of a country depends on a match of another: teams, leagues and their ratings belong to it. So a table says
of each country, in the footer of its Parquet file, what that country's rows were made from: a hash of the input rows
and of the code. `features` and `sequences` make only the countries again of which that is not true any more, and all
where anything else is in doubt.
"""

import functools
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

import polars as pl

MADE_FROM = "football_made_from"  # entry of a Parquet file's footer
LARGEST_SHARE = 0.7  # of the rows; more is made again at once
_SEEDS = (5, 11)
_LIBRARIES = ("duckdb", "numpy", "polars")


def country() -> pl.Expr:
    """Country of a row by its `league_id`: `eng` of `eng.1`."""
    return pl.col("league_id").str.extract(r"^([^.]*)").alias("country")


def is_of(countries: Sequence[str]) -> pl.Expr:
    """Whether a row, by its `league_id`, belongs to one of the countries."""
    return country().is_in(list(countries))


def country_keys(tables: Iterable[pl.DataFrame], code: str) -> dict[str, str]:
    """What each country's rows are made from, whatever the order of the rows.

    Parameters
    ----------
    tables
        All inputs, each with `league_id`; of a generator's, one is in memory at a time.
    code
        Digest of what makes the rows, of `code_digest`.

    Returns
    -------
    dict[str, str]
        A digest of each country that is in any of the tables.
    """
    digests: dict[str, hashlib.blake2b] = {}
    for number, table in enumerate(tables):
        hashes = {f"hash_{seed}": table.hash_rows(seed=seed) for seed in _SEEDS}
        # A sum of hashes, 128 bits in all, does not depend on the order of the rows.
        leagues = (
            table.select("league_id", **hashes).group_by("league_id").agg(pl.len(), pl.col(*hashes).sum())
        )
        for name, *content in leagues.select(country(), pl.exclude("country")).sort("league_id").iter_rows():
            digest = digests.setdefault(name, hashlib.blake2b(code.encode(), digest_size=16))
            digest.update(f"\0{number}\0{table.schema}\0{content}".encode())
    return {name: digest.hexdigest() for name, digest in sorted(digests.items())}


def changed_countries(
    keys: Mapping[str, str], earlier: Mapping[str, str] | None, table: pl.DataFrame
) -> list[str] | None:
    """Countries whose rows must be made again; None says all.

    Parameters
    ----------
    keys, earlier
        What the rows are made from now, and what the earlier table says; None where it says nothing.
    table
        An input, by whose rows the work is weighed.

    Returns
    -------
    list[str] | None
        None also where nothing has changed: then a person wants it made again. A country without a row any more is
        not among them.
    """
    if not earlier:
        return None
    changed = [name for name, key in keys.items() if earlier.get(name) != key]
    nothing_new = not changed and earlier.keys() == keys.keys()
    if nothing_new or table.filter(is_of(changed)).height > LARGEST_SHARE * table.height:
        return None
    return changed


def footer(keys: Mapping[str, str]) -> dict[str, str]:
    """Entries of a Parquet file's footer that say what its rows were made from."""
    return {MADE_FROM: json.dumps(keys)}


def made_from(source: Path | bytes) -> dict[str, str] | None:
    """What the rows of a Parquet file, or of its content, were made from; None where it does not say."""
    entry = pl.read_parquet_metadata(source).get(MADE_FROM)
    return None if entry is None else dict(json.loads(entry))


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
