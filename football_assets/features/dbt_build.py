"""Build dbt models from tables of the bucket into tables of the bucket. The Dagster assets and the backtest call it.

DuckDB is scratch: each build has a database of its own, with a view for each input table, and leaves nothing behind.
"""

import json
import logging
import tempfile
from collections.abc import Callable, Mapping, Sequence
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
from football_assets.features.ratings import ORDER
from football_assets.increments import (
    changed_countries,
    code_digest,
    country_keys,
    footer,
    made_from,
)
from football_assets.tables import table_object, table_objects

_log = logging.getLogger(__name__)
_COUNTRY = "split_part(league_id, '.', 1)"
ROWS_A_GIGABYTE = 4_000_000  # of all inputs: what DuckDB joins and sorts in it, with what it spills to disk
_PROVENANCE = ("source", "source_object", "source_version")  # columns of raw_matches that no model reads


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
    through dbt and its tests; the others' rows are taken over, and the tables are those of a build of everything.

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
        staged = _download(bucket, sorted(_parents(models) - set(models)), build)
        earlier = _earlier(bucket, models, build)
        keys, countries = _to_make_again(staged, _noted_by_all(earlier))
        if countries is not None:
            log(
                f"Only what has changed is made again: {', '.join(countries) or 'nothing, some countries are gone'}."
            )
        _stage(staged, build, countries)
        memory = memory_limit(staged)
        results = _run_dbt("build", models, build, memory, log)
        built = {result.name for result in results if result.is_model and result.passed}
        kept = None if countries is None else sorted(keys.keys() - set(countries))
        # After a failed test nothing is noted: the next build makes all again, and tests all.
        noted = keys if all(result.passed for result in results) else {}
        for model in models:
            if model in built:
                file = _export(model, build, memory, earlier[model], kept, noted)
                bucket.upload(file, table_object(model))
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
        staged = _download(bucket, sorted(_parents(models) | set(models)), Path(folder))
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


def _download(bucket: Bucket, tables: Sequence[str], build: Path) -> dict[str, list[Path]]:
    """Files of each table."""
    files: dict[str, list[Path]] = {}
    for table in tables:
        objects = table_objects(bucket, table)
        if not objects:
            raise ObjectNotFound(
                f"Table {table!r} is not in bucket {bucket.url}: materialise the asset {table!r} first."
            )
        files[table] = [build / table / f"{number}.parquet" for number in range(len(objects))]
        for item, path in zip(objects, files[table], strict=True):
            bucket.download(item.name, path)
    return files


def _to_make_again(
    staged: Mapping[str, Sequence[Path]], noted: Mapping[str, str] | None
) -> tuple[dict[str, str], list[str] | None]:
    """What each country's rows are made from now, and the countries to make again; None: all."""
    keys = country_keys(map(_input_rows, staged.values()), code_digest(*project_sources()))
    leagues = pl.concat(
        [pl.read_parquet(path, columns=["league_id"]) for path in next(iter(staged.values()))]
    )
    return keys, changed_countries(keys, noted, leagues)


def _input_rows(paths: Sequence[Path]) -> pl.DataFrame:
    parts = [pl.read_parquet(path, hive_partitioning=False) for path in paths]
    return pl.concat(parts, how="diagonal_relaxed").drop(_PROVENANCE, strict=False)


def _earlier(bucket: Bucket, models: Sequence[str], build: Path) -> dict[str, Path | None]:
    """The models' tables as they are in the bucket, None where there is none."""
    files: dict[str, Path | None] = {}
    for model in models:
        path = build / "earlier" / f"{model}.parquet"
        files[model] = path if bucket.stat(table_object(model)) is not None else None
        if files[model] is not None:
            bucket.download(table_object(model), path)
    return files


def _noted_by_all(earlier: Mapping[str, Path | None]) -> dict[str, str] | None:
    """What all the tables were made from; None where one does not say, or not the same as the others."""
    notes = [made_from(path) if path is not None else None for path in earlier.values()]
    return notes[0] if all(note == notes[0] for note in notes) else None


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


def _export(
    model: str,
    build: Path,
    memory: str,
    earlier: Path | None,
    kept: Sequence[str] | None,
    noted: Mapping[str, str],
) -> Path:
    """A Parquet file of what dbt has made, with the rows of the kept countries from the earlier table."""
    rows = f'"{model}"'
    if kept is not None and earlier is not None:
        order = ", ".join(name for name in ORDER if name in pl.read_parquet_schema(earlier))
        rows = (
            f'(select * from "{model}" union all by name select * from read_parquet({_text(earlier)}) '
            f"where {_COUNTRY} in ({_texts(['', *kept])}) order by {order})"
        )
    entries = ", ".join(f"{name}: {_text(value)}" for name, value in footer(noted).items())
    path = build / f"{model}.parquet"
    with duckdb.connect(
        str(build / DATABASE), read_only=True, config={"threads": 2, "memory_limit": memory}
    ) as connection:
        connection.execute(
            f"copy {rows} to {_text(path)} "
            f"(format parquet, compression zstd, compression_level 1, kv_metadata {{{entries}}})"
        )
    return path


def _text(value: Path | str) -> str:
    return "'" + str(value).replace("'", "''") + "'"


def _texts(values: Sequence[Path | str]) -> str:
    return ", ".join(map(_text, values))
