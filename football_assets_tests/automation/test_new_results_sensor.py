"""What lands is read once, whatever happens to cursors, ticks and runs."""

import os
import shutil
from pathlib import Path

import polars as pl
import pytest
from dagster import (
    AssetKey,
    DagsterInstance,
    DagsterRunStatus,
    RunRequest,
    build_sensor_context,
)

from football_assets.automation.attempts import LAUNCH_GRACE, MAX_ATTEMPTS
from football_assets.automation.landing_changes import MAX_UNSETTLED_TICKS
from football_assets.automation.new_results_sensor import new_results_sensor
from football_assets.automation.tags import REASON_TAG
from football_assets.definitions import defs
from football_assets.orchestration.dagster_private import WILL_RETRY_TAG
from football_assets.orchestration.partitions import COUNTRIES_TAG, run_tags
from football_assets.orchestration.resources import bucket_resources
from football_assets.raw.read_record import RECORD
from football_assets.settings import Settings
from football_assets.storage.tables import read_table, write_table
from football_assets_tests.builders.backfills import add_backfill, end_backfill
from football_assets_tests.builders.dagster_home import open_instance
from football_assets_tests.builders.dagster_private import PARENT_RUN_ID_TAG
from football_assets_tests.builders.demo import copy_bucket
from football_assets_tests.builders.small_graph import BROKEN, SmallHome

FULHAM = "Sat Aug 18 2012,Fulham,2-1,?,Everton"
WATFORD = "Sat Aug 17 2013,Watford,0-0,?,Everton"
BURY = "Sat Aug 16 2014,Bury,1-3,?,Everton"


def countries_of(request: RunRequest) -> list[str]:
    return request.tags[COUNTRIES_TAG].split(",")


def season_of_row(row: str) -> str:
    year = int(row.split(",")[0].split()[-1])
    return f"{year}-{(year + 1) % 100:02}"


def test_many_new_files_are_one_run_and_then_there_is_nothing_to_do(home: SmallHome) -> None:
    home.land("2012-13/eng.1.csv", FULHAM)
    home.land("2013-14/es.1.csv", WATFORD)
    home.bucket.write("raw/notes.txt", b"x")

    assert home.tick() is None
    assert "no new file" in home.skipped[-1]
    request = home.request()
    assert countries_of(request) == ["eng", "es"]
    assert home.instance.get_dynamic_partitions("countries") == ["eng", "es"]
    assert home.launch(request)

    assert home.home_teams() == ["Fulham", "Watford"]
    assert home.ticks(3) is None
    assert home.skipped[-1] == "2 landing objects of 2 countries, all read. In no season: raw/notes.txt."


def test_only_the_countries_that_differ_are_read_though_others_lie_between(home: SmallHome) -> None:
    for league, row in (("at.1", FULHAM), ("eng.1", WATFORD), ("fr.1", BURY)):
        home.land(f"{season_of_row(row)}/{league}.csv", row)
    home.launch(home.request())
    untouched = home.bucket.stat("tables/raw_matches/eng.parquet")

    home.land("2012-13/at.1.csv", FULHAM.replace("Fulham", "Millwall"))
    home.land("2014-15/fr.2.csv", BURY.replace("Bury", "Barnet").replace("Everton", "Reading"))
    request = home.request()
    assert countries_of(request) == ["at", "fr"]
    assert home.launch(request)

    assert home.home_teams() == ["Barnet", "Bury", "Millwall", "Watford"]
    assert home.bucket.stat("tables/raw_matches/eng.parquet") == untouched
    (last,) = home.instance.fetch_materializations(AssetKey("fixture_predictions"), limit=1).records
    assert last.run_id == home.instance.get_runs(limit=1)[0].run_id


def test_a_country_is_read_again_with_all_of_its_seasons(home: SmallHome) -> None:
    home.land("2012-13/eng.1.csv", FULHAM)
    home.land("2013-14/eng.1.csv", WATFORD)
    home.launch(home.request())

    home.land("2012-13/eng.1.csv", FULHAM, WATFORD)  # the first day of the next season, in the wrong folder
    request = home.request()
    assert countries_of(request) == ["eng"]
    assert home.launch(request)

    assert home.home_teams() == ["Fulham", "Watford"]
    assert home.ticks(3) is None


def test_the_last_file_of_a_country_takes_its_matches_with_it(home: SmallHome) -> None:
    home.land("2012-13/eng.1.csv", FULHAM)
    home.land("2013-14/es.1.csv", WATFORD)
    home.launch(home.request())

    home.bucket.delete("raw/a/2012-13/eng.1.csv")
    request = home.request()
    assert countries_of(request) == ["eng"]
    assert request.tags[REASON_TAG] == "eng: 0 objects, 1 when last read"
    assert home.launch(request)

    assert home.home_teams() == ["Watford"]
    assert home.ticks(3) is None


def test_what_a_version_with_seasons_has_read_is_read_again_by_country(home: SmallHome) -> None:
    home.land("2012-13/eng.1.csv", FULHAM)
    home.bucket.write(RECORD, b'{"2012-13": {"objects": 1, "digest": "d", "run_id": "r"}}')
    write_table(home.bucket, "raw_matches", pl.DataFrame({"home_team": ["Old"]}), "2012-13")
    request = home.request()
    assert countries_of(request) == ["eng"]
    assert home.launch(request)

    assert home.home_teams() == ["Fulham"]
    assert home.ticks(3) is None


def test_a_file_that_goes_and_comes_back_is_a_run_each_time(local_home: SmallHome) -> None:
    home, keys = local_home, []
    home.land("2012-13/eng.1.csv", FULHAM)
    for turn in range(4):
        is_there = turn % 2 == 0
        if is_there:
            home.land("2012-13/eng.2.csv", WATFORD.replace("2013", "2012"))
        else:
            home.bucket.delete("raw/a/2012-13/eng.2.csv")
        request = home.request()
        keys.append(request.run_key)
        assert home.launch(request)
        assert home.home_teams() == (["Fulham", "Watford"] if is_there else ["Fulham"])
        assert home.ticks(3) is None

    assert len(set(keys)) == 4


def test_a_file_that_goes_and_comes_back_before_anyone_reads_is_no_run(local_home: SmallHome) -> None:
    local_home.land("2012-13/eng.1.csv", FULHAM)
    local_home.launch(local_home.request())

    local_home.bucket.delete("raw/a/2012-13/eng.1.csv")
    assert local_home.tick() is None
    local_home.land("2012-13/eng.1.csv", FULHAM)

    assert local_home.ticks(4) is None


def test_a_tick_that_is_evaluated_again_asks_for_the_same_run(home: SmallHome) -> None:
    home.land("2012-13/eng.1.csv", FULHAM)
    home.tick()
    cursor = home.cursor
    first = home.tick()
    home.cursor = cursor  # the daemon was killed before it kept the new one
    again = home.tick()

    assert first is not None
    assert again is not None
    assert again.run_key == first.run_key


@pytest.mark.parametrize("cursor", [None, "no json", '{"event": "landing-other", "ticks": 1}'])
def test_a_lost_or_foreign_cursor_neither_drops_nor_repeats_a_run(
    local_home: SmallHome, cursor: str | None
) -> None:
    home = local_home
    home.land("2012-13/eng.1.csv", FULHAM)
    home.tick()
    home.cursor = cursor
    request = home.request()
    home.launch(request)
    home.cursor = cursor

    assert home.ticks(4) is None

    home.land("2012-13/eng.1.csv", FULHAM, FULHAM.replace("Fulham", "Millwall"))
    home.cursor = cursor
    assert home.request().run_key != request.run_key


def test_files_that_are_still_arriving_are_waited_for_but_not_for_ever(local_home: SmallHome) -> None:
    home, requests = local_home, []
    for number in range(MAX_UNSETTLED_TICKS):
        home.land(f"2012-13/{'abcdefgh'[number]}x.1.csv", FULHAM)
        requests.append(home.tick())

    assert requests[:-1] == [None] * (MAX_UNSETTLED_TICKS - 1)
    assert requests[-1] is not None
    assert len(countries_of(requests[-1])) == MAX_UNSETTLED_TICKS


def test_a_burst_after_a_long_run_is_waited_for_like_the_first(local_home: SmallHome) -> None:
    home = local_home
    home.land("2012-13/eng.1.csv", FULHAM)
    job = home.definitions.resolve_job_def("retrain")
    running = home.instance.create_run_for_job(job, tags=job.run_tags, status=DagsterRunStatus.STARTED)
    assert home.ticks(MAX_UNSETTLED_TICKS) is None
    home.instance.report_run_canceled(running)
    home.land("2013-14/es.1.csv", WATFORD)

    assert home.tick() is None
    assert countries_of(home.request()) == ["eng", "es"]


def test_a_file_that_lands_during_a_run_is_read_after_it(local_home: SmallHome) -> None:
    home = local_home
    home.land("2012-13/eng.1.csv", FULHAM)
    home.launch(home.request())
    job = home.definitions.resolve_job_def("retrain")
    running = home.instance.create_run_for_job(job, tags=job.run_tags, status=DagsterRunStatus.STARTED)
    home.land("2014-15/fr.1.csv", BURY)

    assert home.ticks(4) is None
    assert home.skipped[-1] == f"Waiting for run {running.run_id}. fr: 1 objects, never read."
    home.instance.report_run_canceled(running)

    request = home.request()
    assert countries_of(request) == ["fr"]
    assert home.launch(request)
    assert home.home_teams() == ["Bury", "Fulham"]


def test_nothing_is_requested_during_a_backfill_that_reads(local_home: SmallHome) -> None:
    home = local_home
    home.land("2012-13/eng.1.csv", FULHAM)
    backfill = add_backfill(home.instance, "raw_matches")

    assert home.ticks(4) is None
    assert home.skipped[-1].startswith(f"Waiting for backfill {backfill}. ")

    end_backfill(home.instance, backfill)
    assert home.launch(home.request())
    assert home.home_teams() == ["Fulham"]


def test_a_run_that_was_requested_but_never_queued_is_asked_for_again(local_home: SmallHome) -> None:
    home = local_home
    home.land("2012-13/eng.1.csv", FULHAM)
    request = home.request()
    job = home.definitions.resolve_job_def("refresh_forecasts")
    tags = {**job.run_tags, **request.tags, "dagster/run_key": request.run_key or ""}
    home.instance.create_run_for_job(
        job, tags={**tags, "dagster/sensor_name": "new_results_sensor"}, run_config=request.run_config
    )

    again = home.tick()

    assert again is not None
    assert again.run_key == request.run_key


def test_a_run_that_another_created_and_never_launched_is_waited_for_a_while_only(
    local_home: SmallHome,
) -> None:
    home = local_home
    home.land("2012-13/eng.1.csv", FULHAM)
    job = home.definitions.resolve_job_def("retrain")
    home.instance.create_run_for_job(job, tags=job.run_tags)
    home.now = home.instance.get_run_records()[0].create_timestamp.timestamp()

    assert home.ticks(3) is None
    home.now += LAUNCH_GRACE.total_seconds()
    assert home.tick() is not None


def test_a_run_that_failed_is_tried_again_after_a_pause_a_few_times_and_then_on_a_change(
    local_home: SmallHome,
) -> None:
    home, asked = local_home, []
    home.bucket.write(BROKEN, b"")
    home.land("2012-13/eng.1.csv", FULHAM)
    request = home.request()
    for _ in range(MAX_ATTEMPTS):
        asked.append(request)
        assert not home.launch(request)
        assert home.tick() is None
        assert "next attempt in" in home.skipped[-1] or "see its log" in home.skipped[-1]
        home.now += 3600
        following = home.tick()
        if following is not None:
            request = following

    # What was read is not read again: only what was not built from it.
    assert [item.asset_selection for item in asked[1:]] == [
        [AssetKey("fixture_predictions"), AssetKey("trained_lstm")]
    ] * (MAX_ATTEMPTS - 1)
    assert len({item.run_key for item in asked}) == MAX_ATTEMPTS
    home.now += 1e6
    assert home.ticks(4) is None
    assert "see its log" in home.skipped[-1]

    home.bucket.delete(BROKEN)
    home.land("2013-14/es.1.csv", WATFORD)
    assert home.launch(home.request())
    assert home.ticks(3) is None


def test_a_run_that_fails_before_it_has_read_is_tried_again_as_a_whole(local_home: SmallHome) -> None:
    home = local_home
    home.land("2012-13/eng.1.csv", FULHAM)
    first = home.request()
    place = home.bucket.local_path("tables")
    assert place is not None
    place.write_bytes(b"")  # no table can be written
    assert not home.launch(first)
    place.unlink()
    home.now += 3600
    second = home.tick()

    assert second is not None
    assert second.run_key != first.run_key
    assert home.launch(second)
    assert home.ticks(3) is None


def test_an_attempt_after_a_person_removed_an_earlier_run_has_a_key_that_no_run_has(
    local_home: SmallHome,
) -> None:
    home = local_home
    home.land("2012-13/eng.1.csv", FULHAM)
    home.bucket.write(BROKEN, b"")
    first = home.request()
    assert not home.launch(first)
    home.now += 60
    assert not home.launch(home.request())
    reader = home.instance.get_runs()[-1]
    home.instance.delete_run(reader.run_id)
    home.bucket.delete(BROKEN)
    home.now += 300

    assert home.launch(home.request())


def test_a_cancelled_run_is_left_alone_until_something_changes(local_home: SmallHome) -> None:
    home = local_home
    home.land("2012-13/eng.1.csv", FULHAM)
    request = home.request()
    job = home.definitions.resolve_job_def("refresh_forecasts")
    run = home.instance.create_run_for_job(job, tags=request.tags, run_config=request.run_config)
    home.instance.report_run_canceled(run)
    home.now += 1e6

    assert home.ticks(4) is None
    assert f"Run {run.run_id} was cancelled" in home.skipped[-1]
    home.land("2013-14/es.1.csv", WATFORD)
    assert countries_of(home.request()) == ["eng", "es"]


def test_a_run_that_dagster_retries_is_one_attempt(local_home: SmallHome) -> None:
    home = local_home
    home.land("2012-13/eng.1.csv", FULHAM)
    request = home.request()
    job = home.definitions.resolve_job_def("refresh_forecasts")
    first = home.instance.create_run_for_job(job, tags={**request.tags, WILL_RETRY_TAG: "true"})
    home.instance.report_run_failed(first)
    home.now = home.instance.get_run_records()[0].end_time or 0

    assert home.ticks(3) is None
    assert "Dagster is about to retry it" in home.skipped[-1]
    retry = home.instance.create_run_for_job(
        job,
        tags={**request.tags, PARENT_RUN_ID_TAG: first.run_id},
        parent_run_id=first.run_id,
        root_run_id=first.run_id,
    )
    home.instance.report_run_failed(retry)
    home.now += 3600
    following = home.tick()

    assert following is not None
    assert following.run_key == f"{request.tags['football/event']}-1"


def test_what_a_hand_has_read_is_carried_on_and_not_read_again(local_home: SmallHome) -> None:
    home = local_home
    home.land("2012-13/eng.1.csv", FULHAM)
    home.instance.add_dynamic_partitions("countries", ["eng"])
    home.definitions.resolve_implicit_global_asset_job_def().execute_in_process(
        instance=home.instance,
        partition_key="eng",
        asset_selection=[AssetKey("raw_matches"), AssetKey("raw_matches_rejected")],
    )
    home.now = 3e9
    request = home.tick()

    assert request is not None
    assert request.asset_selection == [
        AssetKey(name) for name in ("fixture_predictions", "stg_matches", "trained_lstm")
    ]
    assert home.launch(request)
    assert home.ticks(3) is None


def test_what_an_earlier_version_of_the_code_built_is_rebuilt_once(local_home: SmallHome) -> None:
    home = local_home
    home.land("2012-13/eng.1.csv", FULHAM)
    home.land("2012-13/at.1.csv", WATFORD)
    assert home.launch(home.request())
    assert home.ticks(3) is None

    home.upgrade(stg_matches="next")
    request = home.request()

    assert request.asset_selection == [
        AssetKey(name) for name in ("fixture_predictions", "stg_matches", "trained_lstm")
    ]
    assert countries_of(request) == ["at", "eng"]
    assert request.tags[REASON_TAG].startswith(
        "Built by an earlier version of the code of stg_matches, or downstream: "
    )
    assert home.launch(request)
    assert home.ticks(3) is None


def test_after_an_upgrade_new_results_and_what_earlier_code_built_are_one_run(local_home: SmallHome) -> None:
    home = local_home
    home.land("2012-13/eng.1.csv", FULHAM)
    home.land("2012-13/at.1.csv", WATFORD)
    assert home.launch(home.request())

    home.upgrade(raw_matches="next", raw_matches_rejected="next")
    home.land("2013-14/eng.1.csv", WATFORD)
    request = home.request()

    assert countries_of(request) == ["at", "eng"]
    assert home.launch(request)
    assert home.ticks(3) is None


def test_a_country_between_those_that_a_hand_rebuilt_after_an_upgrade_is_rebuilt_too(
    local_home: SmallHome,
) -> None:
    home = local_home
    for country in ("at", "eng", "es"):
        home.land(f"2012-13/{country}.1.csv", FULHAM)
    assert home.launch(home.request())
    home.upgrade(raw_matches="next", raw_matches_rejected="next")
    for number in range(2):
        by_hand = RunRequest(run_key=f"by hand {number}", tags=run_tags(["at", "es"], ["at", "eng", "es"]))
        assert home.launch(by_hand)

    request = home.request()

    assert countries_of(request) == ["eng"]
    assert home.launch(request)
    assert home.ticks(3) is None


def test_a_country_whose_partition_a_person_deleted_is_left_alone_after_an_upgrade(
    local_home: SmallHome,
) -> None:
    home = local_home
    home.land("2012-13/at.1.csv", FULHAM)
    home.land("2012-13/eng.1.csv", FULHAM)
    assert home.launch(home.request())
    home.bucket.delete("raw/a/2012-13/at.1.csv")
    assert home.launch(home.request())
    home.instance.delete_dynamic_partition("countries", "at")
    home.upgrade(raw_matches="next", raw_matches_rejected="next")

    request = home.request()

    assert countries_of(request) == ["eng"]
    assert home.launch(request)
    assert home.ticks(3) is None


def test_garbage_is_read_into_rejected_rows_and_fails_nothing(home: SmallHome) -> None:
    garbage = [
        b"",
        b"\0\1\2" * 99,
        b"<html>404</html>",
        b'{"matches": [',
        b"[" * 100_000,
        b"\xff\xfe\xfa",
        b"a,b\n1",
    ]
    home.land("2012-13/eng.1.csv", FULHAM)
    for number, data in enumerate(garbage, 1):
        home.bucket.write(f"raw/a/2012-13/eng.{number}.json", data)
    home.bucket.write("raw/a/2012-13/README", b"text")

    assert home.launch(home.request())

    assert home.home_teams() == ["Fulham"]
    assert home.ticks(3) is None


def test_files_that_cannot_be_read_stop_neither_the_sensor_nor_the_run(local_home: SmallHome) -> None:
    home = local_home
    home.land("2012-13/eng.1.csv", FULHAM)
    raw = home.bucket.local_path("raw")
    assert raw is not None
    for folder in (b"", b"/a/2012-13"):
        Path(os.fsdecode(os.fsencode(raw) + folder + b"/K\xf6ln.csv")).write_bytes(b"x")
    os.mkfifo(raw / "a" / "2012-13" / "eng.2.csv")

    assert home.launch(home.request())

    assert home.home_teams() == ["Fulham"]
    assert home.ticks(3) is None
    assert home.skipped[-1] == r"1 landing objects of 1 countries, all read. In no season: raw/K\xf6ln.csv."
    rejected = read_table(home.bucket, "raw_matches_rejected")
    assert rejected["source_object"].to_list() == [r"raw/a/2012-13/K\xf6ln.csv", "raw/a/2012-13/eng.2.csv"]


def test_a_new_instance_on_a_bucket_that_was_read_knows_its_countries_and_asks_for_nothing(
    home: SmallHome,
) -> None:
    home.land("2012-13/eng.1.csv", FULHAM)
    home.launch(home.request())
    with DagsterInstance.ephemeral() as fresh:
        elsewhere = SmallHome(home.url, home.folder, fresh)

        assert elsewhere.ticks(3) is None
        assert fresh.get_dynamic_partitions("countries") == ["eng"]


def test_thousands_of_objects_are_one_run_with_a_short_key_cursor_and_reason(local_home: SmallHome) -> None:
    home = local_home
    root = home.bucket.local_path("raw/a")
    assert root is not None
    for number in range(2000):
        place = root / str(1900 + number // 104)
        place.mkdir(parents=True, exist_ok=True)
        letters = "abcdefghijklmnopqrstuvwxyz"
        (place / f"{letters[number % 26]}{letters[number // 26 % 4]}.1.csv").write_bytes(b"x")

    request = home.request()

    assert len(countries_of(request)) == 104
    assert len(home.cursor or "") < 100
    assert len(request.run_key or "") < 50
    assert request.tags[REASON_TAG].endswith("ba: 20 objects, never read; 99 more countries")
    assert len(home.skipped[-1]) < 300


def test_what_the_demo_has_made_is_not_made_again(demo_home: Path, tmp_path: Path) -> None:
    shutil.copytree(demo_home / "dagster", tmp_path / "dagster")
    bucket = copy_bucket(demo_home, tmp_path / "bucket")
    resource, _ = bucket_resources(Settings(bucket=str(bucket.root), home=tmp_path))
    with open_instance(tmp_path / "dagster") as instance:
        cursor, answers = None, []
        for _ in range(3):
            context = build_sensor_context(instance, cursor, definitions=defs, resources={"bucket": resource})
            tick = new_results_sensor.evaluate_tick(context)
            cursor = tick.cursor
            answers.append((tick.run_requests, tick.skip_message))

    assert answers == [([], "25 landing objects of 5 countries, all read.")] * 3
