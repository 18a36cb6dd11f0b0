"""Build dbt models from tables of the bucket into tables of the bucket. The Dagster assets and the backtest call it.

DuckDB is scratch: each build has a database of its own, with a view for each input table, and leaves nothing behind.
"""

import json
import logging
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from football_assets.bucket import Bucket
from football_assets.errors import ObjectNotFound
from football_assets.features.dbt_project import (
    DATABASE,
    DbtFailed,
    dbt_arguments,
    load_manifest,
    parsed_project,
    project_folder,
)
from football_assets.tables import table_object, table_objects

_log = logging.getLogger(__name__)


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

    Parameters
    ----------
    bucket
        Holds the tables that the models read, and gets one table a model.
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
        _stage(bucket, sorted(_parents(models) - set(models)), build)
        results = _run_dbt("build", models, build, log)
        built = {result.name for result in results if result.is_model and result.passed}
        for model in models:
            if model in built:
                bucket.upload(_export(model, build), table_object(model))
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
        _stage(bucket, sorted(_parents(models) | set(models)), Path(folder))
        return _run_dbt("test", models, Path(folder), log)


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


def _stage(bucket: Bucket, tables: Sequence[str], build: Path) -> None:
    with duckdb.connect(str(build / DATABASE)) as connection:
        for table in tables:
            objects = table_objects(bucket, table)
            if not objects:
                raise ObjectNotFound(
                    f"Table {table!r} is not in bucket {bucket.url}: materialise the asset {table!r} first."
                )
            paths = [build / table / f"{number}.parquet" for number in range(len(objects))]
            for item, path in zip(objects, paths, strict=True):
                bucket.download(item.name, path)
            files = ", ".join(_quoted(path) for path in paths)
            connection.execute(
                f'create view "{table}" as select * from read_parquet([{files}], union_by_name = true)'
            )


def _run_dbt(
    command: str, models: Sequence[str], build: Path, log: Callable[[str], None]
) -> list[NodeResult]:
    from football_assets.features.dbt_run import run_dbt

    arguments = dbt_arguments(command, "--select", *models, "--indirect-selection", "buildable")
    arguments += ["--vars", json.dumps({"database": str(build / DATABASE)})]
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


def _export(model: str, build: Path) -> Path:
    path = build / f"{model}.parquet"
    with duckdb.connect(
        str(build / DATABASE), read_only=True, config={"threads": 2, "memory_limit": "1GB"}
    ) as connection:
        connection.execute(
            f'copy "{model}" to {_quoted(path)} (format parquet, compression zstd, compression_level 1)'
        )
    return path


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
