"""Materialize assets as Dagster runs inside this process, recorded on the home's instance. The command line calls it.

All assets share one import of the libraries, one process and one run. The runs have the code location of
`workspace.yaml`, so the UI shows their lineage, checks and logs like those of runs that it launched.
"""

import os
import re
import socket
import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from dagster import (
    AssetCheckEvaluation,
    AssetCheckKey,
    AssetCheckSeverity,
    AssetCheckSpec,
    AssetKey,
    AssetSelection,
    DagsterEvent,
    DagsterEventType,
    DagsterExecutionInterruptedError,
    DagsterInstance,
    DagsterInvalidConfigError,
    DagsterRun,
    DagsterRunStatus,
    Definitions,
    RunsFilter,
    in_process_executor,
)

from football_assets.errors import FootballError
from football_assets.orchestration import partitions
from football_assets.orchestration.dagster_private import (
    MAX_RETRIES_TAG,
    InMemoryJob,
    RemoteJobOrigin,
    RemoteRepositoryOrigin,
    SerializableErrorInfo,
    capture_interrupts,
    execute_run_iterator,
    location_origins_from_yaml_paths,
)
from football_assets.orchestration.metadata import reasons_of
from football_assets.orchestration.run_launcher import HOST_TAG, PID_TAG, killed_message, killed_process

# The executor in this process, and log lines that the instance stores and nothing prints.
IN_PROCESS_EXECUTION: dict[str, object] = {"execution": {"config": {"in_process": {}}}}
SILENT_CONSOLE: dict[str, object] = {
    "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
}


class RunFailed(FootballError):
    """A step of a run failed: `cause` says why, `where` says where to look."""

    def __init__(self, cause: str, where: str) -> None:
        super().__init__(f"{cause} {where}")
        self.cause = cause
        self.where = where


@dataclass(frozen=True)
class StepStarted:
    """A step began."""

    step: str


@dataclass(frozen=True)
class AssetFinished:
    """An asset is materialized; `partitions` is 0 for an asset without partitions."""

    asset: str
    partitions: int
    seconds: float


@dataclass(frozen=True)
class CheckFinished:
    """An asset check was evaluated. `description` is the result's, else the check's; `reasons` have their records."""

    asset: str
    check: str
    passed: bool
    is_warning: bool
    description: str = ""
    reasons: tuple[tuple[str, int], ...] = ()


Progress = StepStarted | AssetFinished | CheckFinished


@dataclass(frozen=True)
class RunSummary:
    """A run that succeeded. A failed check that does not block its asset's consumers is no failure of the run."""

    run_id: str
    assets: tuple[str, ...]
    checks: tuple[CheckFinished, ...]
    seconds: float


def materialize(
    definitions: Definitions,
    selection: str,
    *,
    instance: DagsterInstance,
    countries: Sequence[str] = (),
    run_config: Mapping[str, object] | None = None,
    workspace: Path | None = None,
    report: Callable[[Progress], None] = lambda _: None,
) -> RunSummary:
    """Run the selected assets and their checks in one run.

    Parameters
    ----------
    selection
        Asset selection in Dagster's syntax: `*`, `trained_lstm+`, `group:features`. A comma means `or`.
    run_config
        Configuration as in the launchpad, such as `{"ops": {"trained_lstm": {"config": {"epochs": 5}}}}`.
    countries
        Partitions of the partitioned assets among them: registered ones. Dagster runs the
        smallest range that holds them; its other countries stay as they are.
    workspace
        Workspace file that names the code location the run belongs to.
    report
        Called as steps start and assets and checks finish.

    Raises
    ------
    FootballError
        The selection names no asset, a partitioned asset is selected and there is no country, or the configuration is
        not one that the assets take.
    RunFailed
        A step failed; the message says which, why and where its log is.
    """
    job = definitions.resolve_implicit_global_asset_job_def()
    keys = resolve_selection(definitions, selection)
    partitioned = partitioned_assets(definitions, keys)
    if partitioned and not countries:
        raise FootballError(
            f"There is no country to materialize {', '.join(partitioned)} for: land results first with `football land`."
        )
    tags = {PID_TAG: str(os.getpid()), HOST_TAG: socket.gethostname(), MAX_RETRIES_TAG: "0"}
    if partitioned:
        tags |= partitions.run_tags(countries, instance.get_dynamic_partitions(partitions.COUNTRY_PARTITIONS))
    fail_abandoned_runs(instance)
    started = time.monotonic()
    execution = {} if job.executor_def.name == in_process_executor.name else IN_PROCESS_EXECUTION
    try:
        run = instance.create_run_for_job(
            job_def=job.get_subset(asset_selection=keys),
            run_config={**execution, **SILENT_CONSOLE, **(run_config or {})},
            tags={**job.run_tags, **tags},
            asset_selection=keys,
            remote_job_origin=_origin(workspace, job.name) if workspace is not None else None,
        )
    except DagsterInvalidConfigError as error:
        raise FootballError(f"The run configuration is not valid: {error.errors[0].message}") from error
    graph = definitions.get_repository_def().asset_graph
    events = execute_run_iterator(InMemoryJob(job), run, instance)
    with capture_interrupts():
        assets, checks = _follow(events, run, instance, graph.get_check_spec, report)
    return RunSummary(run.run_id, assets, checks, time.monotonic() - started)


def partitioned_assets(definitions: Definitions, keys: Collection[AssetKey]) -> list[str]:
    """Return the names of those assets that are built by country, sorted."""
    layer = definitions.resolve_implicit_global_asset_job_def().asset_layer
    return sorted(key.to_user_string() for key in keys if layer.get(key).partitions_def is not None)


def resolve_selection(definitions: Definitions, selection: str) -> frozenset[AssetKey]:
    """Keys of the assets that a selection names, and of those that are made in one go with them.

    Raises
    ------
    FootballError
        It is not in Dagster's syntax, or names no asset.
    """
    graph = definitions.get_repository_def().asset_graph
    names = sorted(key.to_user_string() for key in graph.executable_asset_keys)
    known = ", ".join(names)
    # A bare name would be read by Dagster's older syntax, in which `+name` is one layer, not all that is upstream.
    bare_name = rf'(?<![\w:"*/])({"|".join(map(re.escape, names))})(?![\w"*])'
    either = re.sub(r',(?=(?:[^"]*"[^"]*")*[^"]*$)', " or ", selection)  # not the commas within quotes
    try:
        selected = AssetSelection.from_string(re.sub(bare_name, r'key:"\g<0>"', either))
        # Assets that one step makes together, like the landed and the rejected rows, run together.
        keys = selected.required_multi_asset_neighbors().resolve(graph)
    except Exception as error:  # Dagster raises several unrelated classes, some of its parser's
        raise FootballError(f"Selection {selection!r} cannot be parsed. The assets are: {known}.") from error
    if not keys:
        raise FootballError(f"Selection {selection!r} names no asset. The assets are: {known}.")
    return frozenset(keys)


def fail_abandoned_runs(instance: DagsterInstance) -> None:
    """Close the runs of processes on this machine that were killed, and free the pool slots they held."""
    filters = RunsFilter(
        tags={HOST_TAG: socket.gethostname()},
        statuses=[DagsterRunStatus.STARTED, DagsterRunStatus.NOT_STARTED],
    )
    for run in instance.get_runs(filters):
        pid = killed_process(instance, run)
        if pid is not None:
            instance.report_run_failed(run, killed_message(pid))
            instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)


@contextmanager
def steps_output_hidden() -> Iterator[TextIO]:
    """Keep what steps print in their captured logs alone; yields a stream that still reaches standard error."""
    streams = _file_descriptors(sys.stdout, sys.stderr)
    if streams is None:
        yield sys.stderr
        return
    sys.stdout.flush()
    saved = [os.dup(stream) for stream in streams]
    encoding, errors = sys.stderr.encoding, sys.stderr.errors
    with (
        Path(os.devnull).open("w") as nothing,
        os.fdopen(os.dup(streams[1]), "w", 1, encoding, errors) as terminal,
    ):
        try:
            for stream in streams:
                os.dup2(nothing.fileno(), stream)
            yield terminal
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            for stream, original in zip(streams, saved, strict=True):
                os.dup2(original, stream)
                os.close(original)


def _file_descriptors(*streams: TextIO) -> tuple[int, ...] | None:
    try:
        return tuple(stream.fileno() for stream in streams)
    except OSError:  # standard streams that are no files, as under a test runner
        return None


def _origin(workspace: Path, job_name: str) -> RemoteJobOrigin:
    location = location_origins_from_yaml_paths([str(workspace)])[0]
    return RemoteJobOrigin(RemoteRepositoryOrigin(location, "__repository__"), job_name)


def _follow(
    events: Iterator[DagsterEvent],
    run: DagsterRun,
    instance: DagsterInstance,
    spec_of: Callable[[AssetCheckKey], AssetCheckSpec],
    report: Callable[[Progress], None],
) -> tuple[tuple[str, ...], tuple[CheckFinished, ...]]:
    assets: dict[str, None] = {}
    checks: list[CheckFinished] = []
    failure: tuple[str, SerializableErrorInfo | None] | None = None
    built: dict[str, int] = {}  # of the assets of the running step
    mark = time.monotonic()
    for event in events:
        match event.event_type:
            case DagsterEventType.STEP_START:
                mark, built = time.monotonic(), {}
                report(StepStarted(str(event.step_key)))
            case DagsterEventType.ASSET_MATERIALIZATION if event.asset_key is not None:
                asset = event.asset_key.to_user_string()
                assets[asset] = None
                if event.partition is not None:
                    built[asset] = built.get(asset, 0) + 1
                else:
                    now = time.monotonic()
                    report(AssetFinished(asset, 0, now - mark))
                    mark = now
            case DagsterEventType.STEP_SUCCESS:
                for asset, count in built.items():
                    report(AssetFinished(asset, count, time.monotonic() - mark))
            case DagsterEventType.ASSET_CHECK_EVALUATION:
                evaluation = event.asset_check_evaluation_data
                checks.append(_check(evaluation, spec_of(evaluation.asset_check_key)))
                report(checks[-1])
            case DagsterEventType.STEP_FAILURE if failure is None:
                failure = (f"{event.step_key} failed", event.step_failure_data.error)
            case DagsterEventType.RUN_FAILURE if failure is None:
                failure = ("The run failed", event.job_failure_data.error)
    if failure is not None:
        what, error = failure
        if error is not None and error.cls_name == DagsterExecutionInterruptedError.__name__:
            raise KeyboardInterrupt
        log = Path(instance.storage_directory()) / run.run_id / "compute_logs"
        where = f"Run {run.run_id} in `football up` has the details, and {log}."
        raise RunFailed(f"{what}: {cause_of(error)}", where)
    return tuple(assets), tuple(checks)


def _check(evaluation: AssetCheckEvaluation, spec: AssetCheckSpec) -> CheckFinished:
    return CheckFinished(
        evaluation.asset_key.to_user_string(),
        evaluation.check_name,
        evaluation.passed,
        evaluation.severity == AssetCheckSeverity.WARN,
        evaluation.description or spec.description or "",
        reasons_of(evaluation),
    )


def cause_of(error: SerializableErrorInfo | None) -> str:
    """Return the first line of an error of this project, else of the innermost exception with its class."""
    if error is None:
        return "no error was recorded."
    texts = [_first_line(error)]
    while error.cause is not None:
        error = error.cause
        texts.append(_first_line(error))
    own = next((text.partition(": ")[2] for text in texts if text.startswith("football_assets.")), None)
    text = texts[-1] if own is None else own
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _first_line(error: SerializableErrorInfo) -> str:
    lines = (line.strip() for line in error.message.splitlines())
    return next(filter(None, lines), str(error.cls_name))
