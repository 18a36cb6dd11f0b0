"""`new_results_sensor`: request a run of every asset up to the fixture predictions when landing objects change.

A tick compares the listing of `raw/` with the record of the objects that `raw_matches` was last read from. Each change
is requested once:

- The run key identifies the state change: the old state, the run that read it, the new state, and the attempt number.
  A tick before the run has read requests the same key, and Dagster launches a key once. After the run has read, the old
  state includes its run id, so no later change has the same key.
- While a run or a backfill that reads or trains is in progress, nothing is requested. Objects that land meanwhile still
  differ from the record afterwards.
- The cursor only records the last listing, to see that a burst of files has ended. If it is lost, one more tick passes.

All countries that changed are one run. Dagster runs a range of partitions without gaps as one run, so the run has the
range that holds them, and a tag names those to build (`orchestration.partitions`).

If a run failed after it had read, the assets that are older than `raw_matches` are requested, and only those. So are
assets that an earlier version of their code has built, with everything downstream of them (`automation.outdated`). The
number of attempts is bounded, with a delay between them; a later change starts with attempt 0.

No asset has a declarative automation condition. Conditions would request assets one by one as they become outdated,
beside the run that materializes them in order, and would retry after a failure without bound or delay.
"""

import time
from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from dagster import (
    AssetKey,
    DagsterInstance,
    DagsterRunStatus,
    DefaultSensorStatus,
    RunRequest,
    SensorEvaluationContext,
    SensorResult,
    sensor,
)

from football_assets.automation.attempts import attempts_at
from football_assets.automation.backfills import work_in_progress
from football_assets.automation.jobs import FROM_LANDING, refresh_forecasts
from football_assets.automation.landing_changes import CountryChange, Watch, event_of, landing_changes
from football_assets.automation.outdated import RAW_MATCHES, Outdated, find_outdated
from football_assets.automation.tags import EVENT_TAG, reason_tag
from football_assets.orchestration.dagster_private import BaseAssetGraph
from football_assets.orchestration.partitions import COUNTRY_PARTITIONS, countries, run_tags
from football_assets.orchestration.resources import BucketResource
from football_assets.raw.countries import country_of
from football_assets.raw.landing import Inventory, inventory
from football_assets.raw.read_record import country_states, last_read
from football_assets.storage.bucket import Bucket

NAME = "new_results_sensor"
_INTERVAL_SECONDS = 10
SHOWN_COUNTRIES = 5
TRAINED = AssetKey("trained_lstm")


@sensor(
    name=NAME,
    job=refresh_forecasts,
    minimum_interval_seconds=_INTERVAL_SECONDS,
    default_status=DefaultSensorStatus.RUNNING,
    description="Requests a run for the countries whose landing objects are new, changed or removed: raw tables to "
    "fixture predictions.",
)
def new_results_sensor(context: SensorEvaluationContext, bucket: BucketResource) -> SensorResult:
    """Evaluate one tick."""
    assert context.repository_def is not None
    graph = context.repository_def.asset_graph
    keys = FROM_LANDING.resolve(graph)
    return evaluate_new_results(context.instance, bucket.open(), graph, keys, context.cursor, time.time())


def evaluate_new_results(
    instance: DagsterInstance,
    bucket: Bucket,
    graph: BaseAssetGraph,
    keys: AbstractSet[AssetKey],
    cursor: str | None,
    now: float,
) -> SensorResult:
    """Decide what to request.

    Parameters
    ----------
    graph
        The assets as they are defined now.
    keys
        The assets of the job: the raw tables and everything downstream of them.
    now
        In Unix seconds.
    """
    guarded = {RAW_MATCHES, TRAINED}
    busy = work_in_progress(instance, guarded, now, NAME)  # before the listing: a run may read these objects
    listed = inventory(bucket)
    landed = country_states(listed)
    changes = landing_changes(landed, last_read(bucket))
    registered = list(instance.get_dynamic_partitions(COUNTRY_PARTITIONS))
    new = sorted({*landed, *(change.country for change in changes)} - set(registered))
    watch = Watch.from_cursor(cursor)
    event = event_of(changes) if changes else ""
    following = Watch(event)
    request, reason = None, ""
    if busy is None and not changes:
        outdated = find_outdated(instance, graph, keys)
        if outdated is not None:
            request, reason = _request_rest(instance, outdated, [*registered, *new], now)
        else:
            reason = _all_is_read(listed)
    elif busy is None and watch.has_settled(event):
        attempts = attempts_at(instance, event)
        outdated = find_outdated(instance, graph, keys)
        wanted = {change.country for change in changes}.union(outdated.countries if outdated else ())
        request = _request(changes, event, attempts.number, sorted(wanted), [*registered, *new])
        reason = attempts.obstacle(now) or ""
    elif busy is None:
        following = watch.next(event)
        reason = "Waiting until a tick finds no new file."
    if request is not None and not reason:
        busy = work_in_progress(instance, guarded, now, NAME)  # again: one may have begun to read since
    if busy is not None:
        reason = f"Waiting for {busy}."
    if changes:
        reason = reason and f"{reason} {_reason(changes)}."
    return SensorResult(
        run_requests=[request] if request and not reason else None,
        skip_reason=reason or None,
        cursor=following.to_cursor(),
        dynamic_partitions_requests=[countries.build_add_request(new)] if new else None,
    )


def _request(
    changes: Sequence[CountryChange],
    event: str,
    attempt: int,
    wanted: Sequence[str],
    registered: Sequence[str],
) -> RunRequest:
    return RunRequest(
        run_key=f"{event}-{attempt}",
        tags={
            EVENT_TAG: event,
            **reason_tag(_reason(changes)),
            **run_tags(wanted, registered),
        },
    )


def _request_rest(
    instance: DagsterInstance, outdated: Outdated, registered: Sequence[str], now: float
) -> tuple[RunRequest, str]:
    """Return the request for outdated assets, and the reason why it is not sent now, if any."""
    reader = instance.get_run_by_id(outdated.reader)
    failed = [outdated.reader] if reader and reader.status is not DagsterRunStatus.SUCCESS else []
    attempts = attempts_at(instance, outdated.event, *failed)
    names = ", ".join(key.to_user_string() for key in outdated.keys)
    cause = f"Older than the results that run {outdated.reader} read"
    if outdated.other_code:
        changed = ", ".join(key.to_user_string() for key in outdated.other_code)
        cause = f"Built by an earlier version of the code of {changed}, or downstream"
    obstacle = attempts.obstacle(now)
    request = RunRequest(
        run_key=f"{outdated.event}-{attempts.number}",
        asset_selection=outdated.keys,
        tags={
            EVENT_TAG: outdated.event,
            **reason_tag(f"{cause}: {names}"),
            **(run_tags(outdated.countries, registered) if outdated.countries else {}),
        },
    )
    return request, f"{obstacle} {cause}: {names}." if obstacle else ""


def _reason(changes: Sequence[CountryChange]) -> str:
    more = len(changes) - SHOWN_COUNTRIES
    shown = [*map(str, changes[:SHOWN_COUNTRIES]), *([f"{more} more countries"] if more > 0 else [])]
    return "; ".join(shown)


def _all_is_read(listed: Inventory) -> str:
    lost = [stray.info.name for stray in listed.strays if stray.season is None]
    text = f"{len(listed.objects)} landing objects of {len(set(map(country_of, listed.objects)))} countries, all read."
    return f"{text} In no season: {', '.join(lost[:5])}." if lost else text
