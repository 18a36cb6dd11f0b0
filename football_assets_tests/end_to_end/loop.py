"""`make loop`: results land, and a new model is judged, served and watched, with no hand touching anything.

    python -m football_assets_tests.end_to_end.loop [proof ...]    all six by default

The bundled results as they stood on 8 October 2015 are landed in a bucket of the Google Cloud Storage API, the whole
graph runs on it once, and Dagster's daemon and Ray Serve are started. Then, one after the other:

- new_results: the next month of results lands. A new version serves.
- garbage: a file lands that does not hold results. Rejected rows, warnings, production as before.
- worse_model: a network is trained on shuffled outcomes. The gate rejects it with its reasons.
- killed_daemon: the daemon is killed between tick and launch. Once it runs again, there is exactly one run.
- rollback: production is rolled back while the daemon is down. Serve follows.
- drift: invented histories are asked for, and nothing is trained. Then fixtures are asked for, and results of another
  football land. The report shows it, and a retraining follows.

Each prints its timeline; exit code 1 if a promise is broken. `test_loop.py` runs the same proofs.
"""

import argparse
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from dagster import AssetKey, DagsterRunStatus

from football_assets.automation.tags import REASON_TAG
from football_assets.domain.clubs import canonical_club
from football_assets.domain.leagues import league_of
from football_assets.sample import sample_folder
from football_assets.sequences.tensors import open_tensors
from football_assets.storage.artifacts import fetch, publish
from football_assets.storage.log_segments import read_segment
from football_assets.storage.tables import read_table
from football_assets_tests.end_to_end.installation import (
    FINISHED,
    BrokenPromise,
    Installation,
    installation,
    sample_until,
    step_metadata,
)

FIRST_DAY_UNKNOWN = date(2015, 10, 8)
SEASON = "2015-16"  # of the bundled fixtures
NEW_RESULTS, REGISTRY, DRIFT = "new_results_sensor", "registry_sensor", "drift_sensor"
TO_THE_GATE = 'key:"trained_lstm"+ and +key:"registered_model"'
GARBAGE = "raw/upload/2015-16/eng.1.json"
INVENTED = 100  # custom histories
STRANGE_RESULTS = 300
KILL_POLL_SECONDS = 0.01


@dataclass
class Timeline:
    """What happened when, in seconds since the beginning."""

    say: Callable[[str], None]
    started: float = field(default_factory=time.monotonic)
    events: list[tuple[float, str]] = field(default_factory=list)

    def note(self, text: str) -> None:
        """Something happened now."""
        self.events.append((time.monotonic() - self.started, text))
        self.say(f"  {self.events[-1][0]:6.1f} s  {text}")

    @property
    def seconds(self) -> float:
        """Until the last event."""
        return self.events[-1][0]


def promise(holds: object, text: str) -> None:
    """What must be true.

    Raises
    ------
    BrokenPromise
        It is not.
    """
    if not holds:
        raise BrokenPromise(text)


@contextmanager
def running_loop(folder: Path, say: Callable[[str], None]) -> Iterator[Installation]:
    """The installation after the whole graph has run once on its bucket, with all programs started."""
    with installation(folder, say) as here:
        line = Timeline(say)
        here.football("land", str(sample_until(FIRST_DAY_UNKNOWN, folder)))
        line.note(f"landed the results until {FIRST_DAY_UNKNOWN} in {here.bucket_url}")
        here.football("materialize")
        line.note(f"the whole graph has run: version {here.production()} is in production")
        for name in ("daemon", "ui", "serve"):
            here.start(name)
        here.wait("forecasts are served", lambda: here.served_version() == here.production())
        line.note(f"version {here.served_version()} answers on {here.endpoint}")
        here.wait("the UI answers", lambda: httpx.get(f"{here.ui}/server_info").status_code == 200)
        here.wait("sensors tick", lambda: all(ticks(here, name) for name in (NEW_RESULTS, REGISTRY, DRIFT)))
        line.note(f"Dagster's sensors tick; its UI is on {here.ui}")
        quiet(here)
        yield here


def new_results(here: Installation, line: Timeline) -> None:
    """The next month of results lands: a new version serves by itself."""
    before, runs = here.production(), here.runs(NEW_RESULTS)
    here.football("land", str(sample_folder()))
    line.note("landed the results of the month that followed")
    run = here.finished(runs, NEW_RESULTS)
    line.note(f"run {run.run_id[:8]} of {NEW_RESULTS} ended; the gate: {decision(here, run.run_id)}")
    promise(here.production() > before, f"Version {before} is still in production.")
    here.wait("the new version serves", lambda: here.served_version() == here.production())
    line.note(f"version {here.production()} serves, in place of version {before}")
    here.wait("serving_deployment has made sure", lambda: deployed(here) == here.production())
    line.note("serving_deployment has seen every replica answer with it")
    promise(
        read_table(here.bucket, "fixture_predictions")["model_version"].unique().to_list()
        == [here.production()],
        "The fixture list is of another version.",
    )
    quiet(here)


def garbage(here: Installation, line: Timeline) -> None:
    """A file that does not hold results lands: rejected rows and a warning, production as before."""
    production, runs = here.production(), here.runs(NEW_RESULTS)
    played = played_matches(here)
    here.bucket.write(GARBAGE, b"<html><body>502 Bad Gateway</body></html>")
    line.note(f"wrote an error page to {GARBAGE}")
    run = here.finished(runs, NEW_RESULTS)
    rejected = read_table(here.bucket, "raw_matches_rejected")
    reasons = [row["reason"] for row in rejected.to_dicts() if row["source_object"] == GARBAGE]
    promise(len(reasons) == 1, f"The file has {len(reasons)} rejected rows, not one.")
    line.note(f"run {run.run_id[:8]} ended; rejected: {reasons[0]}")
    promise(played_matches(here) == played, "The number of results has changed.")
    warned = [
        check.check_name
        for record in here.dagster.get_records_for_run(run.run_id).records
        if (event := record.event_log_entry.dagster_event) is not None
        and event.event_type_value == "ASSET_CHECK_EVALUATION"
        and not (check := event.asset_check_evaluation_data).passed
        and check.asset_key == AssetKey("raw_matches_rejected")
    ]
    promise(warned, "No check of raw_matches_rejected warns.")
    line.note(f"checks that warn: {', '.join(warned)}")
    promise(here.production() == production == here.served_version(), "Production has changed.")
    line.note(f"version {production} serves as before")
    quiet(here)


def worse_model(here: Installation, line: Timeline) -> None:
    """A network learns from shuffled outcomes: the gate rejects it, production stays, the reason can be read."""
    production = here.production()
    scratch = here.folder / "scratch"
    truth = fetch(here.bucket, "sequence_tensors", scratch)
    shuffled = Path(shutil.copytree(truth, here.folder / "shuffled"))
    split = step_metadata(here.dagster, here.finished([], NEW_RESULTS), "trained_lstm")["split"]
    until = np.datetime64(dict(split)["validation_end"])
    tensors = open_tensors(truth)
    learnt = np.flatnonzero((tensors.days <= until) & (tensors.outcome >= 0))
    mixed = np.random.default_rng(1).permutation(learnt)
    for name in ("outcome", "goals"):
        values = np.array(getattr(tensors, name))
        values[learnt] = values[mixed]
        np.save(shuffled / f"{name}.npy", values)
    publish(here.bucket, "sequence_tensors", shuffled)
    line.note(f"shuffled the outcomes of {len(learnt)} training matches")
    try:
        here.football("materialize", "--select", TO_THE_GATE)
    finally:
        publish(here.bucket, "sequence_tensors", truth)
    line.note(f"the gate: {decision(here, last_registration(here))}")
    version = here.registry.resolve("candidate")
    judged = here.registry.decision(version)
    promise(judged is not None and not judged["accepted"], f"Version {version} was accepted.")
    assert judged is not None
    for reason in judged["reasons"]:
        line.note(f"  {reason}")
    shown = here.football("models", "show", str(version))
    promise(" ".join(judged["reasons"][0].split()) in " ".join(shown.split()), "The command line hides it.")
    promise(here.production() == production == here.served_version(), "Production has changed.")
    line.note(f"version {production} serves as before")
    quiet(here)


def killed_daemon(here: Installation, line: Timeline) -> None:
    """The daemon dies between tick and launch: once it is back, the change makes exactly one run."""
    runs = here.runs(NEW_RESULTS)
    known = {run.run_id for run in runs}
    here.bucket.delete(GARBAGE)
    line.note(f"deleted {GARBAGE}")

    def created() -> list[str]:
        return [run.run_id for run in here.runs(NEW_RESULTS) if run.run_id not in known]

    while not created():
        promise(here.processes["daemon"].poll() is None, "The daemon ended by itself.")
        time.sleep(KILL_POLL_SECONDS)
    here.kill("daemon")
    (caught,) = (run for run in here.runs(NEW_RESULTS) if run.run_id not in known)
    line.note(f"killed the daemon; run {caught.run_id[:8]} is {caught.status.value}, not launched")
    promise(
        caught.status in {DagsterRunStatus.NOT_STARTED, DagsterRunStatus.QUEUED},
        f"The daemon was killed too late: the run is {caught.status.value}.",
    )
    here.start("daemon")
    line.note("started the daemon again")
    run = here.finished(runs, NEW_RESULTS)
    quiet(here)
    made = created()
    promise(made == [run.run_id], f"The change made {len(made)} runs: {made}")
    rejected = read_table(here.bucket, "raw_matches_rejected")
    promise(GARBAGE not in rejected["source_object"].to_list(), "Rows of the deleted file are still there.")
    line.note(f"run {run.run_id[:8]} ended, the only one; the rejected row is gone")


def rollback(here: Installation, line: Timeline) -> None:
    """Production is rolled back while the daemon is down: Serve follows, and is verified once the daemon runs."""
    before, retrained = here.production(), here.runs(DRIFT)
    here.kill("daemon")
    here.football("models", "rollback")
    after = here.production()
    promise(after != before, f"Version {before} is still in production.")
    line.note(f"killed the daemon, and rolled back from version {before} to version {after}")
    here.wait("the old version serves", lambda: here.served_version() == after)
    line.note(f"version {after} serves")
    here.start("daemon")
    line.note("started the daemon again")
    here.wait("serving_deployment has made sure", lambda: deployed(here) == after)
    line.note("serving_deployment has seen every replica answer with it")
    quiet(here, DRIFT)
    promise(len(here.runs(DRIFT)) == len(retrained), "The version that was rolled back is trained again.")
    line.note("and nothing trains it again")


def drift(here: Installation, line: Timeline) -> None:
    """Results of another football land: the report finds drift, the sensor retrains; what clients invent does not."""
    runs = here.runs(DRIFT)
    with httpx.Client(base_url=here.endpoint, timeout=60) as client:
        for number in range(INVENTED):
            client.post("/predict/sequences", json=strange_match(number)).raise_for_status()
        line.note(f"asked for {INVENTED} forecasts of invented teams whose matches have nine goals")
        fixtures = next_fixtures(client)
        ask = client.post("/predict/batch", json={"fixtures": fixtures}).raise_for_status()
    promise(all("problem" not in item for item in ask.json()["forecasts"]), "A fixture was not forecast.")
    line.note(f"asked for the next {len(fixtures)} fixtures")
    here.wait("segments are uploaded", lambda: logged_records(here) >= INVENTED + len(fixtures))
    line.note("the prediction log is in the bucket")
    report = drift_report(here, line)
    promise(report["custom_histories"] == INVENTED, f"{report['custom_histories']} custom histories.")
    # The version that was rolled back to knows no result of the last weeks: its inputs may be too few to judge.
    promise(report["status"] != "drift", f"The report is drift: {report['reasons']}")
    quiet(here, DRIFT)
    promise(len(here.runs(DRIFT)) == len(runs), "Invented histories have brought about a training.")
    line.note("they are reported apart, and nothing is trained")

    learning = here.runs(NEW_RESULTS)
    here.football("land", str(strange_results(fixtures, here.folder / "strange")))
    line.note("landed results of these fixtures, of matches with nine goals")
    run = here.finished(learning, NEW_RESULTS)
    line.note(f"run {run.run_id[:8]} of {NEW_RESULTS} ended; the gate: {decision(here, run.run_id)}")
    quiet(here, NEW_RESULTS)
    report = drift_report(here, line)
    promise(report["status"] == "drift", f"The report is {report['status']}.")
    page = httpx.get(f"{here.endpoint}/drift", timeout=60)
    promise(page.status_code == 200 and "<html" in page.text.lower(), f"/drift answers {page.status_code}.")
    here.wait("the gauge shows it", lambda: gauge(here, "football_live_log_loss") > 0)
    line.note(f"/drift shows it, and football_live_log_loss is {gauge(here, 'football_live_log_loss'):.2f}")
    retrained = here.finished(runs, DRIFT)
    why = retrained.tags.get(REASON_TAG, "")
    line.note(f"run {retrained.run_id[:8]} of {DRIFT} has retrained: {why}")
    promise("goals" in why, "The run's tags do not say why.")
    quiet(here, DRIFT)
    promise(len(here.runs(DRIFT)) == len(runs) + 1, "The sensor has retrained more than once.")
    line.note("and there is no second retraining")


def drift_report(here: Installation, line: Timeline) -> dict[str, Any]:
    """Have the drift report made; returns its metadata."""
    run_id = here.launch("watch_drift")
    run = here.wait(
        "the report is made",
        lambda: next((run for run in here.runs() if run.run_id == run_id and run.status in FINISHED), None),
    )
    promise(run.status is DagsterRunStatus.SUCCESS, here.failure(run))
    metadata = step_metadata(here.dagster, run, "drift_report")
    line.note(f"drift_report: {metadata['status']}: {metadata['reasons']}")
    return metadata


PROOFS: dict[str, Callable[[Installation, Timeline], None]] = {
    proof.__name__: proof for proof in (new_results, garbage, worse_model, killed_daemon, rollback, drift)
}


def strange_match(number: int) -> dict[str, Any]:
    """A request about teams whose matches have nine goals, unlike those of every other request."""
    chance = np.random.default_rng(number)

    def team() -> dict[str, Any]:
        scored, conceded = chance.poisson(5, 10).tolist(), chance.poisson(4, 10).tolist()
        history = [
            {"goals_for": goals, "goals_against": against, "is_home": game % 2 == 0, "days_ago": 4 + 6 * game}
            for game, (goals, against) in enumerate(zip(scored, conceded, strict=True))
        ]
        return {"history": history}

    return {"league": "eng.1", "home": team(), "away": team()}


def next_fixtures(client: httpx.Client) -> list[dict[str, Any]]:
    """The next upcoming fixtures, as requests."""
    listed = client.get("/fixtures", params={"limit": STRANGE_RESULTS}).raise_for_status().json()["fixtures"]
    return [
        {name: fixture[name] for name in ("league", "home_team", "away_team", "date")} for fixture in listed
    ]


def strange_results(fixtures: Sequence[dict[str, Any]], folder: Path) -> Path:
    """Give fixtures results with nine goals a match: the files of their season, in a folder `openfootball`."""
    chance = np.random.default_rng(0)
    target = Path(shutil.copytree(sample_folder() / SEASON, folder / "openfootball" / SEASON)).parent
    wanted = {(item["league"], item["home_team"], item["away_team"], item["date"]) for item in fixtures}
    played = 0
    for file in sorted((target / SEASON).glob("*.json")):
        league = league_of(file.stem)
        document = json.loads(file.read_bytes())
        for match in document["matches"]:
            teams = (canonical_club(league.country, match[side]) for side in ("team1", "team2"))
            if (file.stem, *teams, match["date"]) in wanted:
                match["score"] = {"ft": [int(chance.poisson(5)), int(chance.poisson(4))]}
                played += 1
        file.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
    promise(played == len(fixtures), f"{played} of {len(fixtures)} fixtures are in the bundled files.")
    return target


def decision(here: Installation, run_id: str) -> str:
    """The gate's sentence about the version that a run registered."""
    run = here.dagster.get_run_by_id(run_id)
    assert run is not None
    return str(step_metadata(here.dagster, run, "registered_model")["decision"])


def last_registration(here: Installation) -> str:
    """The run that registered the newest version. Runs that followed it may have begun meanwhile."""
    event = here.dagster.get_latest_materialization_event(AssetKey("registered_model"))
    assert event is not None
    return event.run_id


def deployed(here: Installation) -> int | None:
    """The version with which `serving_deployment` last saw every replica answer."""
    event = here.dagster.get_latest_materialization_event(AssetKey("serving_deployment"))
    found = event.asset_materialization if event is not None else None
    return None if found is None else int(str(found.metadata["version"].value))


def played_matches(here: Installation) -> int:
    """Results in the table of raw matches."""
    return int(read_table(here.bucket, "raw_matches", columns=["home_goals"])["home_goals"].count())


def logged_records(here: Installation) -> int:
    """Records of custom histories and of batches in the bucket's segments of the prediction log."""
    segments = (here.bucket.read(item.name) for item in here.bucket.list("prediction_log/segments/"))
    records = (record for segment in segments for record in read_segment(segment))
    return sum(record["kind"] in {"sequences", "batch"} for record in records)


def gauge(here: Installation, name: str) -> float:
    """A gauge of the endpoint's metrics; 0 where it is not shown."""
    text = httpx.get(f"{here.endpoint}/metrics", timeout=60).text
    return next((float(row.split()[-1]) for row in text.splitlines() if row.startswith(f"{name} ")), 0.0)


def ticks(here: Installation, sensor: str) -> int:
    """Ticks of a sensor so far."""
    states = here.dagster.all_instigator_state()
    found = [state for state in states if state.instigator_name == sensor]
    return sum(
        len(here.dagster.get_ticks(state.instigator_origin_id, state.selector_id, limit=5)) for state in found
    )


def quiet(here: Installation, *sensors: str) -> None:
    """Wait until no run is left and sensors have looked once more without asking for one."""

    def settled() -> bool:
        if any(run.status not in FINISHED for run in here.runs()):
            return False
        before = len(here.runs())
        seen = {name: last_tick(here, name) for name in (NEW_RESULTS, REGISTRY, *sensors)}
        here.wait("sensors tick", lambda: all(last_tick(here, name) > tick for name, tick in seen.items()))
        return len(here.runs()) == before

    here.wait("all is quiet", settled)


def last_tick(here: Installation, sensor: str) -> float:
    """When a sensor last ended a tick, in Unix seconds."""
    for state in here.dagster.all_instigator_state():
        if state.instigator_name == sensor:
            done = here.dagster.get_ticks(state.instigator_origin_id, state.selector_id, limit=3)
            return max((tick.timestamp for tick in done if tick.is_completed), default=0.0)
    return 0.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Prove what was asked for; exit code 1 if a promise is broken."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("proofs", nargs="*", metavar="proof", help="which, in this order; default: all")
    parser.add_argument(
        "--folder", type=Path, help="where to work; kept afterwards. Default: a temporary folder"
    )
    parser.add_argument("--stay", action="store_true", help="leave everything running until Ctrl-C")
    options = parser.parse_args(arguments)
    unknown = set(options.proofs) - set(PROOFS)
    if unknown:
        parser.error(f"{', '.join(sorted(unknown))}: choose from {', '.join(PROOFS)}")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends all programs, as Ctrl-C does
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # Serve and the daemon share the processors
    folder = options.folder or Path(tempfile.mkdtemp(prefix="football-loop-"))
    broken = []
    try:
        with running_loop(folder, say) as here:
            for name in options.proofs or PROOFS:
                say(f"{name}: {(PROOFS[name].__doc__ or '').strip()}")
                line = Timeline(say)
                try:
                    PROOFS[name](here, line)
                except BrokenPromise as error:
                    broken.append(name)
                    say(f"  BROKEN  {error}")
                else:
                    say(f"  kept, {line.seconds:.0f} s")
            if options.stay:
                say(f"Dagster on {here.ui}, forecasts on {here.endpoint}. Ctrl-C ends it.")
                while True:
                    time.sleep(1)
    except KeyboardInterrupt:
        say("Stopping …")
    finally:
        if options.folder is None:
            shutil.rmtree(folder, ignore_errors=True)
    say(f"Broken: {', '.join(broken)}." if broken else "All promises were kept.")
    return 1 if broken else 0


def say(text: str) -> None:
    """Tell a person what is going on."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
