"""Build dbt models from tables of the bucket into tables of the bucket. The Dagster assets and the backtest call it.

DuckDB is scratch: each build has a database of its own, with a view for each input table, and leaves nothing behind.
"""

import json
import logging
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import polars as pl

from football_assets.bucket import Bucket
from football_assets.errors import ObjectNotFound
from football_assets.features.dbt_project import (
    DATABASE,
    DbtFailed,
    dbt_arguments,
    load_manifest,
    parsed_project,
    project_folder,
    project_sources,
)
from football_assets.increments import changed_countries, code_digest, country_keys, row_hashes
from football_assets.tables import (
    CountryTable,
    countries_made_from,
    country_versions,
    partition_of,
    read_table,
    table_objects,
    write_country_table,
)

_log = logging.getLogger(__name__)
_COUNTRY = "split_part(league_id, '.', 1)"
ROWS_A_GIGABYTE = 4_000_000  # of all inputs: what DuckDB joins and sorts in it, with what it spills to disk
LANDED = "raw_matches"  # the table that is kept by season; the others are kept by country
_PROVENANCE = ("source", "source_object", "source_version")  # columns of it that no model reads
_ROWS_AT_A_TIME = 1_000_000  # that leave DuckDB together


@dataclass(frozen=True)
class NodeResult:
    """What became of a model or a test."""

    unique_id: str
    status: str  # success, pass, warn, fail, error or skipped
    seconds: float
    failures: int  # rows that break the rule of a test
    message: str

    @property
    def name(self) -> str:
        """Name of the model or test."""
        return self.unique_id.split(".")[2]

    @property
    def is_model(self) -> bool:
        """Not a test."""
        return self.unique_id.startswith("model.")

    @property
    def passed(self) -> bool:
        """The model was built, or the test holds."""
        return self.status in {"success", "pass"}


class ModelsNotBuilt(DbtFailed):
    """Some models were not built. The others are in the bucket; `results` tells of all."""

    def __init__(self, message: str, results: list[NodeResult]) -> None:
        super().__init__(message)
        self.results = results


def build_features(
    bucket: Bucket, models: Sequence[str], scratch: Path, log: Callable[[str], None] = _log.info
) -> list[NodeResult]:
    """Build models and run their tests.

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
        Takes dbt's own log, line by line.

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
        dbt did not run at all.
    """
    scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="dbt-", dir=scratch) as folder:
        build = Path(folder)
        inputs = sorted(_parents(models) - set(models))
        keys = _made_from_now(bucket, inputs)
        noted = [countries_made_from(bucket, model) for model in models]
        countries = changed_countries(keys, *noted)
        log(f"Made again: {', '.join(countries) or 'nothing, some countries are gone'}.")
        staged = _download(bucket, inputs, build, countries)
        _stage(staged, build, countries)
        results = _run_dbt("build", models, build, memory_limit(staged), log)
        built = [result.name for result in results if result.is_model and result.passed]
        # After a failed test nothing is noted: the next build makes these countries again, and tests them.
        to_note = keys if all(result.passed for result in results) else {}
        for model in (name for name in models if name in built):
            for table in _tables(model, build, keys, countries, to_note):
                write_country_table(bucket, model, table)
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
        dbt did not run at all.
    """
    scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="dbt-", dir=scratch) as folder:
        staged = _download(bucket, sorted(_parents(models) | set(models)), Path(folder), None)
        _stage(staged, Path(folder), None)
        return _run_dbt("test", models, Path(folder), memory_limit(staged), log)


def _parents(models: Sequence[str]) -> set[str]:
    """Tables that the models read."""
    manifest = load_manifest()
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
        objects = table_objects(bucket, table)
        if not objects:
            raise ObjectNotFound(
                f"Table {table!r} is not in bucket {bucket.url}: materialise the asset {table!r} first."
            )
        if table != LANDED and countries is not None:
            objects = [item for item in objects if partition_of(item) in countries] or objects[:1]
        files[table] = [build / table / f"{number}.parquet" for number in range(len(objects))]
        for item, path in zip(objects, files[table], strict=True):
            bucket.download(item.name, path)
    return files


def _stage(files: Mapping[str, Sequence[Path]], build: Path, countries: Sequence[str] | None) -> None:
    """Make a view of each table, of the rows of some countries or of all."""
    wanted = "true" if countries is None else f"{_COUNTRY} in ({_texts(['', *countries])})"
    with duckdb.connect(str(build / DATABASE)) as connection:
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


def _run_dbt(
    command: str, models: Sequence[str], build: Path, memory: str, log: Callable[[str], None]
) -> list[NodeResult]:
    from football_assets.features.dbt_run import run_dbt

    arguments = dbt_arguments(command, "--select", *models, "--indirect-selection", "buildable")
    arguments += ["--vars", json.dumps({"database": str(build / DATABASE), "memory_limit": memory})]
    outcome = run_dbt(arguments, parsed_project() / "partial_parse.msgpack", build, log)
    if isinstance(outcome, Exception):
        raise DbtFailed(f"dbt did not run: {' '.join(str(outcome).split())[-500:]}") from outcome
    if isinstance(outcome, BaseException):  # the run was cancelled
        raise outcome
    return [
        NodeResult(
            unique_id=result.node.unique_id,
            status=str(result.status),
            seconds=result.execution_time,
            failures=result.failures or 0,
            message=result.message or "",
        )
        for result in outcome.results
    ]


def _tables(
    model: str, build: Path, keys: Mapping[str, str], countries: Sequence[str], to_note: Mapping[str, str]
) -> Iterator[CountryTable]:
    """What dbt has made of a model, as many countries at a time as are read together."""
    with duckdb.connect(str(build / DATABASE), read_only=True, config={"threads": 2}) as connection:
        counts = connection.execute(f'select {_COUNTRY}, count(*) from "{model}" group by all').fetchall()
        for group in _groups(dict(counts), countries):
            rows = connection.sql(f'select * from "{model}" where {_COUNTRY} in ({_texts(["", *group])})')
            yield CountryTable(rows.pl(), group, list(keys), to_note)


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
