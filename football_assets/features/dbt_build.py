"""Build dbt models from tables of the bucket into tables of the bucket. The Dagster assets and the backtest call it.

DuckDB is scratch: each build has a database of its own, with a view for each input table, and leaves nothing behind.
"""

import logging
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb
import polars as pl

from football_assets.features.dbt_project import (
    DATABASE,
    DbtFailed,
    load_manifest,
    project_folder,
    project_sources,
)
from football_assets.features.dbt_run import Node, NodeResult, build_nodes, check_nodes
from football_assets.features.ratings import ORDER
from football_assets.orchestration.increments import changed_countries, code_digest, country_keys, row_hashes
from football_assets.storage.bucket import Bucket
from football_assets.storage.tables import (
    CountryTable,
    countries_made_from,
    country_versions,
    existing_objects,
    partition_of,
    read_table,
    write_country_table,
)

_log = logging.getLogger(__name__)
_COUNTRY = "split_part(league_id, '.', 1)"
ROWS_A_GIGABYTE = 4_000_000  # of all inputs: what DuckDB joins and sorts in it, with what it spills to disk
LANDED = "raw_matches"  # the table that is kept by season; the others are kept by country
_PROVENANCE = ("source", "source_object", "source_version")  # columns of it that no model reads
_ROWS_AT_A_TIME = 1_000_000  # that leave DuckDB together


class ModelsNotBuilt(DbtFailed):
    """Some models were not built. The others are in the bucket; `results` tells of all."""

    def __init__(self, message: str, results: list[NodeResult]) -> None:
        super().__init__(message)
        self.results = results


def build_features(
    bucket: Bucket, models: Sequence[str], scratch: Path, log: Callable[[str], None] = _log.info
) -> list[NodeResult]:
    """Build models and run their tests.

    A country's rows are in order of kick-off day, league, match and team, whatever order the models have.

    Where the tables in the bucket say what they were made from, only the countries whose input rows have changed go
    through dbt and its tests; the others stay as they are, and the tables are those of a build of everything.

    Parameters
    ----------
    bucket
        Holds the tables that the models read, and gets one table a model, an object a country.
    models
        Names of dbt models. What they read must be among them or in the bucket.
    scratch
        Folder for temporary files.
    log
        Takes a line a model and test.

    Returns
    -------
    list[NodeResult]
        One a model and test. A failed test does not keep its model out of the bucket, but stops the models after it.

    Raises
    ------
    ObjectNotFound
        The bucket lacks an input table.
    ModelsNotBuilt
        A model failed, or was skipped after a failed test.
    DbtFailed
        dbt cannot compile the project, or it has no such model.
    """
    scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="dbt-", dir=scratch) as folder:
        build = Path(folder)
        manifest = load_manifest()
        inputs = sorted(_parents(manifest, models) - set(models))
        keys = _made_from_now(bucket, inputs)
        noted = [countries_made_from(bucket, model) for model in models]
        countries = changed_countries(keys, *noted)
        log(f"Made again: {', '.join(countries) or 'nothing, some countries are gone'}.")
        staged = _download(bucket, inputs, build, countries)
        with _database(build, memory_limit(staged)) as connection:
            _stage(connection, staged, countries)
            results = build_nodes(connection, manifest, models, log)
            built = [result.name for result in results if result.is_model and result.passed]
            # After a failed test nothing is noted: the next build makes these countries again, and tests them.
            to_note = keys if all(result.passed for result in results) else {}
            for model in built:
                for group, rows in _rows(connection, model, countries):
                    write_country_table(bucket, model, CountryTable(rows, group, list(keys), to_note))
    missing = [model for model in models if model not in built]
    if missing:
        reasons = [
            f"{result.name}: {result.message}" for result in results if result.status in {"error", "fail"}
        ]
        reason = " ".join("; ".join(reasons).split())
        raise ModelsNotBuilt(f"dbt did not build {', '.join(missing)}: {reason}", results)
    return results


def check_features(
    bucket: Bucket, models: Sequence[str], scratch: Path, log: Callable[[str], None] = _log.info
) -> list[NodeResult]:
    """Run the tests of models on their tables in the bucket, without building any.

    Parameters are those of `build_features`.

    Raises
    ------
    ObjectNotFound
        The bucket lacks a table of a model, or one that it reads.
    DbtFailed
        dbt cannot compile the project, or it has no such model.
    """
    scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="dbt-", dir=scratch) as folder:
        manifest = load_manifest()
        staged = _download(bucket, sorted(_parents(manifest, models) | set(models)), Path(folder), None)
        with _database(Path(folder), memory_limit(staged)) as connection:
            _stage(connection, staged, None)
            return check_nodes(connection, manifest, models, log)


def _parents(manifest: Node, models: Sequence[str]) -> set[str]:
    """Tables that the models read."""
    names = {
        unique_id: node["name"] for unique_id, node in {**manifest["nodes"], **manifest["sources"]}.items()
    }
    nodes = {node["name"]: node for node in manifest["nodes"].values() if node["resource_type"] == "model"}
    unknown = set(models) - set(nodes)
    if unknown:
        raise DbtFailed(f"{', '.join(sorted(unknown))}: no such model in {project_folder()}.")
    return {names[parent] for model in models for parent in nodes[model]["depends_on"]["nodes"]}


def _made_from_now(bucket: Bucket, inputs: Sequence[str]) -> dict[str, str]:
    """What each country's rows are made from now.

    Raises
    ------
    ObjectNotFound
        The bucket lacks an input table.
    """
    versions = [
        row_hashes(read_table(bucket, LANDED).drop(_PROVENANCE, strict=False))
        if name == LANDED
        else country_versions(bucket, name)
        for name in inputs
    ]
    return country_keys(versions, code_digest(*project_sources()))


def _download(
    bucket: Bucket, tables: Sequence[str], build: Path, countries: Sequence[str] | None
) -> dict[str, list[Path]]:
    """Files of each table that hold rows of some countries or of all; of a table without them, one without a row."""
    files: dict[str, list[Path]] = {}
    for table in tables:
        objects = existing_objects(bucket, table)
        if table != LANDED and countries is not None:
            objects = [item for item in objects if partition_of(item) in countries] or objects[:1]
        files[table] = [build / table / f"{number}.parquet" for number in range(len(objects))]
        for item, path in zip(objects, files[table], strict=True):
            bucket.download(item.name, path)
    return files


@contextmanager
def _database(build: Path, memory: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database that nobody reads again."""
    with duckdb.connect(str(build / DATABASE), config={"threads": 2, "memory_limit": memory}) as connection:
        connection.execute("pragma disable_checkpoint_on_shutdown")
        yield connection


def _stage(
    connection: duckdb.DuckDBPyConnection,
    files: Mapping[str, Sequence[Path]],
    countries: Sequence[str] | None,
) -> None:
    """Make a view of each table, of the rows of some countries or of all."""
    wanted = "true" if countries is None else f"{_COUNTRY} in ({_texts(['', *countries])})"
    for table, paths in files.items():
        connection.execute(
            f'create view "{table}" as select * from read_parquet([{_texts(paths)}], union_by_name = true) '
            f"where {wanted}"
        )


def memory_limit(files: Mapping[str, Sequence[Path]]) -> str:
    """What DuckDB may hold for some input tables, `1GB` or more: it spills beyond, but not all that it holds."""
    rows = sum(
        pl.scan_parquet(path).select(pl.len()).collect().item() for paths in files.values() for path in paths
    )
    return f"{max(1, rows // ROWS_A_GIGABYTE)}GB"


def _rows(
    connection: duckdb.DuckDBPyConnection, model: str, countries: Sequence[str]
) -> Iterator[tuple[list[str], pl.DataFrame]]:
    """What a model has of some countries in order, as many countries at a time as are read together."""
    counts = connection.execute(f'select {_COUNTRY}, count(*) from "{model}" group by all').fetchall()
    for group in _groups(dict(counts), countries):
        rows = connection.sql(f'select * from "{model}" where {_COUNTRY} in ({_texts(["", *group])})').pl()
        yield group, rows.sort(name for name in ORDER if name in rows.columns)


def _groups(rows: Mapping[str, int], countries: Sequence[str]) -> list[list[str]]:
    """Countries in groups of at most a million rows, or one country; one group at least."""
    groups: list[list[str]] = [[]]
    size = 0
    for name in countries:
        if groups[-1] and size + rows.get(name, 0) > _ROWS_AT_A_TIME:
            groups.append([])
            size = 0
        groups[-1].append(name)
        size += rows.get(name, 0)
    return groups


def _text(value: Path | str) -> str:
    return "'" + str(value).replace("'", "''") + "'"


def _texts(values: Sequence[Path | str]) -> str:
    return ", ".join(map(_text, values))
