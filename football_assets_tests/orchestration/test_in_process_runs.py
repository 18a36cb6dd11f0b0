"""Runs of this process, on a small graph with a partitioned asset, a consumer, checks and a failure."""

import io
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from football_assets.cli.progress import RunProgress
from football_assets.errors import FootballError, NotEnoughData
from football_assets.orchestration.in_process_runs import (
    AssetFinished,
    CheckFinished,
    Progress,
    RunFailed,
    StepStarted,
    fail_abandoned_runs,
    materialize,
    resolve_selection,
    steps_output_hidden,
)
from football_assets.orchestration.metadata import reasons_metadata
from football_assets.orchestration.partitions import partition_range, register_countries
from football_assets.orchestration.run_launcher import HOST_TAG, PID_TAG
from football_assets.runtime.home import project_root
from football_assets_tests.builders.dagster_home import open_instance

COUNTRIES = dg.DynamicPartitionsDefinition(name="countries")


@dg.asset(partitions_def=COUNTRIES, backfill_policy=dg.BackfillPolicy.single_run())
def results(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    """Stands for the partitioned landing table."""
    return dg.MaterializeResult(metadata={"countries": sorted(context.partition_keys)})


@dg.asset(deps=[results])
def table(context: dg.AssetExecutionContext) -> None:
    """Stands for everything behind it."""
    print("printed by the step")


class TrainingKnobs(dg.Config):
    """Config of `model`."""

    epochs: int = 1


@dg.asset(deps=[table], pool="training")
def model(config: TrainingKnobs) -> None:
    """Fails without epochs."""
    if config.epochs == 0:
        raise NotEnoughData("No epochs:\n  give some.")
    if config.epochs < -1:
        try:
            int("few")
        except ValueError as error:
            raise NotEnoughData("The file of epochs has no number.") from error
    if config.epochs < 0:
        raise ValueError("epochs below 0")


@dg.asset_check(asset=table)
def is_sound() -> dg.AssetCheckResult:
    """Passes."""
    return dg.AssetCheckResult(passed=True)


@dg.asset_check(asset=table)
def is_fresh() -> dg.AssetCheckResult:
    """Warns."""
    return dg.AssetCheckResult(
        passed=False,
        severity=dg.AssetCheckSeverity.WARN,
        metadata=reasons_metadata([("the date is 31 June", 1200), ("no [score]", 3), ("c", 2), ("d", 1)]),
    )


DEFINITIONS = dg.Definitions(assets=[results, table, model], asset_checks=[is_sound, is_fresh])


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    (tmp_path / "dagster.yaml").write_bytes((project_root() / "dagster.yaml").read_bytes())
    with open_instance(tmp_path) as instance:
        yield instance


def test_a_partitioned_asset_and_all_behind_it_are_one_run_that_the_instance_remembers(
    instance: dg.DagsterInstance,
) -> None:
    register_countries(instance, ["de", "at", "eng"])
    seen: list[Progress] = []

    with steps_output_hidden():
        run = materialize(
            DEFINITIONS,
            "*",
            instance=instance,
            countries=["at", "de", "eng"],
            workspace=project_root() / "workspace.yaml",
            report=seen.append,
        )

    assert run.assets == ("results", "table", "model")
    assert sorted(check.check for check in run.checks if check.passed) == ["is_sound"]
    (warning,) = [item for item in seen if isinstance(item, CheckFinished) and not item.passed]
    assert (warning.asset, warning.check, warning.is_warning) == ("table", "is_fresh", True)
    assert warning.description == "Warns."
    assert warning.reasons[0] == ("the date is 31 June", 1200)
    assert seen[0] == StepStarted("results")
    finished = {item.asset: item.partitions for item in seen if isinstance(item, AssetFinished)}
    assert finished == {"results": 3, "table": 0, "model": 0}
    recorded = instance.get_run_by_id(run.run_id)
    assert recorded is not None
    assert recorded.status == dg.DagsterRunStatus.SUCCESS
    assert recorded.remote_job_origin is not None
    assert recorded.remote_job_origin.location_name == "football_assets"
    assert instance.get_materialized_partitions(dg.AssetKey("results")) == {"at", "de", "eng"}


def test_only_the_range_of_the_asked_seasons_is_run(instance: dg.DagsterInstance) -> None:
    register_countries(instance, ["ar", "at", "de"])

    materialize(DEFINITIONS, "results", instance=instance, countries=["at"])

    assert instance.get_materialized_partitions(dg.AssetKey("results")) == {"at"}


def test_a_range_follows_the_order_in_which_countries_were_registered(instance: dg.DagsterInstance) -> None:
    register_countries(instance, ["de"])
    register_countries(instance, ["ar", "de", "at"])
    registered = instance.get_dynamic_partitions("countries")

    assert registered == ["de", "ar", "at"]
    assert partition_range(["ar", "at", "de"], registered) == ("de", "at")


def test_an_unknown_country_and_a_lack_of_countries_are_refused(instance: dg.DagsterInstance) -> None:
    register_countries(instance, ["de"])

    with pytest.raises(FootballError, match="No results of xx have landed. Countries: de"):
        materialize(DEFINITIONS, "results", instance=instance, countries=["xx"])
    with pytest.raises(FootballError, match="no country to materialize results for: land results first"):
        materialize(DEFINITIONS, "*", instance=instance)


@pytest.mark.parametrize("selection", ["modle", "+((", "group:nowhere"])
def test_a_selection_that_means_nothing_is_answered_with_the_assets_there_are(
    instance: dg.DagsterInstance, selection: str
) -> None:
    with pytest.raises(FootballError, match="The assets are: model, results, table"):
        materialize(DEFINITIONS, selection, instance=instance)


@pytest.mark.parametrize(
    ("epochs", "message"),
    [
        (0, "model failed: No epochs:"),
        (-1, "model failed: ValueError: epochs below 0"),
        (-2, "model failed: The file of epochs has no number. Run"),
    ],
)
def test_a_failing_step_is_one_line_with_its_cause_and_where_to_look(
    instance: dg.DagsterInstance, epochs: int, message: str
) -> None:
    knobs = {"ops": {"model": {"config": {"epochs": epochs}}}}

    with pytest.raises(RunFailed) as failure:
        materialize(DEFINITIONS, "model", instance=instance, run_config=knobs)

    (run,) = instance.get_runs()
    assert run.status == dg.DagsterRunStatus.FAILURE
    assert str(failure.value).startswith(message)
    assert run.run_id in str(failure.value)
    assert "\n" not in str(failure.value)


def test_what_steps_print_is_in_the_runs_log_and_not_on_the_terminal(
    instance: dg.DagsterInstance, capfd: pytest.CaptureFixture[str]
) -> None:
    with steps_output_hidden() as terminal:
        run = materialize(DEFINITIONS, "table", instance=instance)
        terminal.write("progress\n")

    shown = capfd.readouterr()
    assert (shown.out, shown.err) == ("", "progress\n")
    logs = Path(instance.storage_directory()) / run.run_id / "compute_logs"
    assert "printed by the step" in "".join(log.read_text() for log in logs.glob("*.out"))


def test_a_run_whose_process_was_killed_is_closed_and_gives_its_pool_slot_back(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    code = textwrap.dedent(
        f"""
        import time, dagster as dg
        from pathlib import Path
        from football_assets.orchestration.in_process_runs import materialize
        from football_assets_tests.builders.dagster_home import open_instance

        @dg.asset(pool="training")
        def model() -> None:
            open({str(tmp_path / "begun")!r}, "w").close()
            time.sleep(60)

        with open_instance(Path({str(tmp_path)!r})) as instance:
            materialize(dg.Definitions(assets=[model]), "*", instance=instance)
        """
    )
    with subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL) as process:
        _wait_for(tmp_path / "begun")
        process.send_signal(signal.SIGKILL)
    (killed,) = instance.get_runs()
    assert killed.status == dg.DagsterRunStatus.STARTED

    materialize(DEFINITIONS, "model", instance=instance)  # would wait for the slot for ever

    closed = instance.get_run_by_id(killed.run_id)
    assert closed is not None
    assert closed.status == dg.DagsterRunStatus.FAILURE


def test_a_run_of_a_living_process_or_of_another_machine_is_left_alone(instance: dg.DagsterInstance) -> None:
    job = DEFINITIONS.resolve_implicit_global_asset_job_def()
    living = {PID_TAG: str(os.getpid()), HOST_TAG: socket.gethostname()}
    elsewhere = {PID_TAG: "999999999", HOST_TAG: "elsewhere"}
    for tags in (living, elsewhere):
        instance.create_run_for_job(job_def=job, tags=tags, status=dg.DagsterRunStatus.STARTED)

    fail_abandoned_runs(instance)

    assert {run.status for run in instance.get_runs()} == {dg.DagsterRunStatus.STARTED}


def _wait_for(file: Path) -> None:
    deadline = time.monotonic() + 60
    while not file.exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_failed_check_is_shown_with_its_description_and_its_three_commonest_reasons() -> None:
    reasons = (("the date is 31 June", 1200), ("no [score]", 3), ("c", 2), ("d", 1))
    stream = io.StringIO()
    with RunProgress(stream) as progress:
        progress(CheckFinished("table", "is_fresh", False, True, "Rejected: 1,206.", reasons))
        progress(CheckFinished("table", "is_sound", False, False))
        progress(CheckFinished("table", "is_whole", True, False, "Nothing to say.", reasons))

    assert stream.getvalue().splitlines() == [
        "! table: check is_fresh warning: Rejected: 1,206.",
        "    1,200 × the date is 31 June",
        "        3 × no [score]",
        "        2 × c",
        "! table: check is_sound failed",
    ]


@pytest.mark.parametrize("selection", ["results,table", "results , table", 'key:"results",key:"table"'])
def test_a_comma_in_a_selection_means_or(selection: str) -> None:
    assert {key.to_user_string() for key in resolve_selection(DEFINITIONS, selection)} == {"results", "table"}
