"""Builds dbt models from tables of the bucket into tables of the bucket, country by country. The assets call it.

dbt runs as a process of its own, as by hand, against a DuckDB database that is deleted afterwards; its results are read
from `run_results.json`. The tables that the models read are copied to Parquet files of the selected countries beside
the database. Sources read them by their `external_location`. Models that are not built are views over their files.
"""

import json
import logging
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from football_assets.features.dbt_project import (
    DATABASE,
    PARTIAL_PARSE,
    DbtFailed,
    dbt_arguments,
    dbt_environment,
    dbt_executable,
    parsed_project,
    project_folder,
    read_manifest,
)
from football_assets.features.schedule import ROW_ORDER
from football_assets.storage.bucket import Bucket
from football_assets.storage.tables import missing_table, table_object, write_partitions

Node = Mapping[str, Any]

TABLES_VARIABLE = "FOOTBALL_TABLES"
DATABASE_VARIABLE = "FOOTBALL_DUCKDB"
MEMORY_VARIABLE = "FOOTBALL_DUCKDB_MEMORY"
ROWS_A_GIGABYTE = 4_000_000
"""Rows of all inputs that DuckDB joins and sorts in a gigabyte, with what it spills to disk."""

_log = logging.getLogger(__name__)
_PASSED = frozenset({"success", "pass"})
_ENDED = frozenset({0, 1})  # exit codes of dbt: 1 if a model or a test failed


@dataclass(frozen=True)
class NodeResult:
    """The result of one dbt model or test.

    Attributes
    ----------
    status
        Of dbt: `success`, `error` or `skipped` of a model; `pass`, `warn`, `fail`, `error` or `skipped` of a test.
    failures
        Rows that break the rule of a test.
    """

    unique_id: str
    name: str
    is_model: bool
    status: str
    failures: int
    message: str
    seconds: float

    @property
    def passed(self) -> bool:
        """Whether the model was built, or no row breaks the rule of the test."""
        return self.status in _PASSED


class ModelsNotBuilt(DbtFailed):
    """Some models were not built. The others are in the bucket; `results` has the results of all."""

    def __init__(self, message: str, results: list[NodeResult]) -> None:
        super().__init__(message)
        self.results = results


@dataclass(frozen=True)
class BuiltFeatures:
    """Results of all nodes, and the rows of each model that was built, by model and country."""

    results: list[NodeResult]
    tables: dict[str, dict[str, pl.DataFrame]]


def build_features(
    bucket: Bucket,
    models: Sequence[str],
    countries: Sequence[str],
    scratch: Path,
    log: Callable[[str], None] = _log.info,
) -> BuiltFeatures:
    """Build models for some countries, run their tests and write their tables to the bucket.

    A country's rows are in order of kick-off day, league, match and team. They depend on the rows of this country
    alone, so that the tables are those of a build of all countries.

    Parameters
    ----------
    bucket
        Holds the tables that the models read, and receives one object per model and country.
    models
        Names of dbt models. What they read is among them or in the bucket.
    countries
        Partitions to build. The others stay.
    scratch
        Folder for temporary files.
    log
        Receives one line per model and test.

    Returns
    -------
    BuiltFeatures
        A failed test does not keep its own model out of the bucket, but dbt skips the models after it.

    Raises
    ------
    ObjectNotFound
        The bucket lacks an input table of one of the countries.
    ModelsNotBuilt
        A model failed, or was skipped after a failed test.
    DbtFailed
        dbt cannot parse the project, or it has no such model.
    """
    project = parsed_project()
    manifest = read_manifest(project)
    inputs = inputs_of(manifest, models)
    with _staged(bucket, manifest, inputs, countries, scratch) as folder:
        results = _run(folder, project, manifest, "build", tests_of(manifest, models), models, log)
        tables = {
            result.name: _rows(folder / DATABASE, result.name, countries)
            for result in results
            if result.is_model and result.passed
        }
    for model, parts in tables.items():
        write_partitions(bucket, model, parts)
    missing = [model for model in models if model not in tables]
    if missing:
        reasons = [
            f"{result.name}: {result.message}" for result in results if result.status in {"error", "fail"}
        ]
        reason = " ".join("; ".join(reasons).split())
        raise ModelsNotBuilt(f"dbt did not build {', '.join(missing)}: {reason}", results)
    return BuiltFeatures(results, tables)


def check_features(
    bucket: Bucket,
    tests: Sequence[str],
    countries: Sequence[str],
    scratch: Path,
    log: Callable[[str], None] = _log.info,
) -> list[NodeResult]:
    """Run dbt tests on the tables in the bucket without building a model.

    Parameters
    ----------
    tests
        Unique identifiers of the tests. The other parameters are those of `build_features`.

    Raises
    ------
    ObjectNotFound
        The bucket lacks a table that a test reads.
    DbtFailed
        dbt cannot parse the project.
    """
    project = parsed_project()
    manifest = read_manifest(project)
    read = {
        _name(manifest, parent) for test in tests for parent in manifest["nodes"][test]["depends_on"]["nodes"]
    }
    with _staged(bucket, manifest, sorted(read), countries, scratch) as folder:
        return _run(folder, project, manifest, "test", tests, [], log)


def tests_of(manifest: Node, models: Sequence[str]) -> list[str]:
    """Return the unique identifiers of the tests that belong to models: Dagster shows them as their asset checks."""
    owned = []
    for unique_id, node in manifest["nodes"].items():
        if node["resource_type"] == "test":
            owner = node.get("attached_node") or ""
            reference = node["config"].get("meta", {}).get("dagster", {}).get("ref", {}).get("name")
            if (reference or owner.rpartition(".")[2]) in models:
                owned.append(unique_id)
    return sorted(owned)


def memory_limit(files: Sequence[Path]) -> str:
    """Return the memory that DuckDB may use for some input files, `1GB` or more. It spills to disk beyond it."""
    rows = sum(pl.scan_parquet(path).select(pl.len()).collect().item() for path in files)
    return f"{max(1, rows // ROWS_A_GIGABYTE)}GB"


def inputs_of(manifest: Node, models: Sequence[str]) -> list[str]:
    """Return the names of the tables that models read and that are not among the models.

    Raises
    ------
    DbtFailed
        The project has no such model.
    """
    nodes = {node["name"]: node for node in manifest["nodes"].values() if node["resource_type"] == "model"}
    unknown = set(models) - set(nodes)
    if unknown:
        raise DbtFailed(f"{', '.join(sorted(unknown))}: no such model in {project_folder()}.")
    read = {_name(manifest, parent) for model in models for parent in nodes[model]["depends_on"]["nodes"]}
    return sorted(read - set(models))


def _name(manifest: Node, unique_id: str) -> str:
    group = "sources" if unique_id.startswith("source.") else "nodes"
    return str(manifest[group][unique_id]["name"])


@contextmanager
def _staged(
    bucket: Bucket, manifest: Node, tables: Sequence[str], countries: Sequence[str], scratch: Path
) -> Iterator[Path]:
    """Yield a folder with the files of the countries and a database, which is deleted afterwards."""
    scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="dbt-", dir=scratch) as name:
        folder = Path(name)
        for table in tables:
            for country in countries:
                item = table_object(table, country)
                if bucket.stat(item) is None:
                    raise missing_table(bucket, table, country)
                bucket.download(item, folder / "tables" / table / f"{country}.parquet")
        sources = {source["name"] for source in manifest["sources"].values()}
        with duckdb.connect(str(folder / DATABASE)) as connection:
            for model in sorted(set(tables) - sources):
                files = ", ".join(_text(path) for path in sorted((folder / "tables" / model).iterdir()))
                connection.execute(
                    f'create view "{model}" as select * from read_parquet([{files}], union_by_name = true)'
                )
        yield folder


def _run(
    folder: Path,
    project: Path,
    manifest: Node,
    command: str,
    tests: Sequence[str],
    models: Sequence[str],
    log: Callable[[str], None],
) -> list[NodeResult]:
    files = sorted((folder / "tables").rglob("*.parquet"))
    shutil.copyfile(project / PARTIAL_PARSE, folder / PARTIAL_PARSE)  # dbt parses what has changed
    names = [*models, *(manifest["nodes"][test]["name"] for test in tests)]
    options = ["--quiet", command, "--indirect-selection", "empty", "--select", *names]
    done = subprocess.run(
        [dbt_executable(), *dbt_arguments(*options)],
        cwd=folder,
        env={
            **dbt_environment(folder),
            TABLES_VARIABLE: str(folder / "tables"),
            DATABASE_VARIABLE: str(folder / DATABASE),
            MEMORY_VARIABLE: memory_limit(files),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    artifact = folder / "run_results.json"
    if done.returncode not in _ENDED or not artifact.is_file():
        message = " ".join((done.stdout + done.stderr).split())
        raise DbtFailed(f"dbt {command} ended with exit code {done.returncode}: {message[-500:]}")
    results = [_node_result(item, manifest) for item in json.loads(artifact.read_bytes())["results"]]
    for item in results:
        log(f"{item.status:8} {item.name} {item.seconds:.2f} s {item.message}".rstrip())
    return results


def _node_result(item: Mapping[str, Any], manifest: Node) -> NodeResult:
    node = manifest["nodes"][item["unique_id"]]
    return NodeResult(
        unique_id=item["unique_id"],
        name=node["name"],
        is_model=node["resource_type"] == "model",
        status=item["status"],
        failures=item["failures"] or 0,
        message="" if item["message"] in (None, "OK") else " ".join(item["message"].split()),
        seconds=item["execution_time"],
    )


def _rows(database: Path, model: str, countries: Sequence[str]) -> dict[str, pl.DataFrame]:
    """Rows of a model by country, each part in order."""
    parts = {}
    with duckdb.connect(str(database), read_only=True) as connection:
        for country in countries:
            of_country = f"select * from \"{model}\" where split_part(league_id, '.', 1) = $country"
            rows = connection.sql(of_country, params={"country": country}).pl()
            parts[country] = rows.sort(name for name in ROW_ORDER if name in rows.columns)
    return parts


def _text(value: Path) -> str:
    return "'" + str(value).replace("'", "''") + "'"
