"""Run in DuckDB what dbt has compiled: models as tables, and their tests. `dbt_build` calls it.

dbt parses and compiles the project, once a change of it. To have it run the models, too, would cost a process 3 s for
imports and a second an invocation, as much as DuckDB spends on all countries; a new matchday is one country. What a
test or a contract means is dbt's own: `football_assets_tests/features/test_dbt_run.py` compares with `dbt build`.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import duckdb

Node = Mapping[str, Any]  # of dbt's manifest


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


def build_nodes(
    connection: duckdb.DuckDBPyConnection,
    manifest: Node,
    models: Sequence[str],
    log: Callable[[str], None],
) -> list[NodeResult]:
    """Build models in the order of their dependencies, and test each as soon as all that a test reads is there.

    Parameters
    ----------
    connection
        A database with a table or view for each input of the models.
    manifest
        dbt's manifest of the compiled project.
    models
        Names of the models.
    log
        Takes a line a model and test.

    Returns
    -------
    list[NodeResult]
        One a model and test. After a model that was not built, or a test that failed, the models that depend on it and
        their tests are skipped.
    """
    nodes = {node["unique_id"]: node for node in _in_order(manifest, models)}
    waiting = {test["unique_id"]: test for test in data_tests_of(manifest, models)}
    blocked: set[str] = set()
    built: set[str] = set()
    results = []
    for unique_id, node in nodes.items():
        if blocked.intersection(node["depends_on"]["nodes"]):
            results.append(
                NodeResult(unique_id, "skipped", 0.0, 0, "What it reads is missing or broke a rule.")
            )
        else:
            results.append(_timed(unique_id, partial(_create, connection, node)))
        (built if results[-1].passed else blocked).add(unique_id)
        for test_id, test in list(waiting.items()):
            read = nodes.keys() & set(test["depends_on"]["nodes"])
            if read <= built | blocked:
                del waiting[test_id]
                results.append(_tested(connection, test, skip=bool(read - built)))
                if results[-1].status in {"fail", "error"}:
                    blocked |= read
    for number, result in enumerate(results, start=1):
        log(
            f"{number} of {len(results)} {result.status} {result.name} {result.seconds:.2f} s {result.message}"
        )
    return results


def check_nodes(
    connection: duckdb.DuckDBPyConnection,
    manifest: Node,
    models: Sequence[str],
    log: Callable[[str], None],
) -> list[NodeResult]:
    """Run the tests of models that are there; parameters and returns as of `build_nodes`."""
    results = [_tested(connection, test, skip=False) for test in data_tests_of(manifest, models)]
    for result in results:
        log(f"{result.status} {result.name} {result.seconds:.2f} s {result.message}")
    return results


def data_tests_of(manifest: Node, models: Sequence[str]) -> Iterator[Node]:
    """Tests that read one of the models and otherwise what is before it."""
    nodes = manifest["nodes"]
    selected = {node["unique_id"] for node in _in_order(manifest, models)}
    before, found = set(selected), list(selected)
    while found:
        parents = nodes.get(found.pop(), {}).get("depends_on", {}).get("nodes", [])
        found += [parent for parent in parents if parent not in before]
        before.update(parents)
    for node in nodes.values():
        if node["resource_type"] == "test":
            read = set(node["depends_on"]["nodes"])
            if read & selected and read <= before:
                yield node


def _in_order(manifest: Node, models: Sequence[str]) -> list[Node]:
    """Nodes of the models, each after those that it reads."""
    wanted = {
        node["unique_id"]: node
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and node["name"] in models
    }
    ordered: dict[str, Node] = {}

    def place(unique_id: str) -> None:
        if unique_id in wanted and unique_id not in ordered:
            for parent in wanted[unique_id]["depends_on"]["nodes"]:
                place(parent)
            ordered[unique_id] = wanted[unique_id]

    for unique_id in wanted:
        place(unique_id)
    return list(ordered.values())


def _timed(unique_id: str, work: Callable[[], tuple[str, int, str]]) -> NodeResult:
    started = time.perf_counter()
    try:
        status, failures, message = work()
    except duckdb.Error as error:
        status, failures, message = "error", 0, " ".join(str(error).split())
    return NodeResult(unique_id, status, time.perf_counter() - started, failures, message)


def _create(connection: duckdb.DuckDBPyConnection, node: Node) -> tuple[str, int, str]:
    """The model's table, with the columns of its contract in their order."""
    wanted = {name: column["data_type"] for name, column in node["columns"].items()}
    differences = _differences(connection, node["compiled_code"], wanted)
    if differences:
        return "error", 0, f"It breaks its contract: {differences}"
    columns = ", ".join(f'"{name}"' for name in wanted)
    connection.execute(
        f"create table {node['relation_name']} as (select {columns} from ({node['compiled_code']}) as model)"
    )
    return "success", 0, ""


def _differences(connection: duckdb.DuckDBPyConnection, sql: str, wanted: Mapping[str, str]) -> str:
    """Columns that a query has and a contract has not, or the other way round, with their types."""
    types = ", ".join(f'null::{data_type} as "{name}"' for name, data_type in wanted.items())
    promised, found = (
        {str(name): str(kind) for name, kind, *_ in connection.execute(f"describe {query}").fetchall()}
        for query in (f"select {types}", sql)
    )
    return "; ".join(
        f"{name} is {found.get(name, 'missing')}, not {promised.get(name, 'part of it')}"
        for name in dict.fromkeys([*promised, *found])
        if promised.get(name) != found.get(name)
    )


def _tested(connection: duckdb.DuckDBPyConnection, test: Node, skip: bool) -> NodeResult:
    if skip:
        return NodeResult(test["unique_id"], "skipped", 0.0, 0, "What it reads was not built.")
    return _timed(test["unique_id"], partial(_rows_that_break, connection, test))


def _rows_that_break(connection: duckdb.DuckDBPyConnection, test: Node) -> tuple[str, int, str]:
    config = test["config"]
    count, is_error, is_warning = config["fail_calc"], config["error_if"], config["warn_if"]
    limit = f"limit {config['limit']}" if config["limit"] else ""
    ((failures, warns, fails),) = connection.execute(
        f"select {count}, {count} {is_warning}, {count} {is_error} from ({test['compiled_code']} {limit}) as broken"
    ).fetchall()
    if fails and config["severity"].upper() == "ERROR":
        return "fail", failures, f"{failures} row(s) break the rule."
    if warns:
        return "warn", failures, f"{failures} row(s) break the rule."
    return "pass", failures, ""
