"""Syncing the landing objects with a public source: what lands, what is rejected, what is requested again."""

import json
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from football_assets.errors import FootballError
from football_assets.raw.landing import land
from football_assets.raw.sync.fetching import Manners
from football_assets.raw.sync.results import FileStatus, SyncedFile, SyncResult, sync_sources
from football_assets.settings import Settings
from football_assets.storage.bucket import Bucket, ObjectInfo
from football_assets.storage.local import LocalBucket
from football_assets.storage.opening import open_bucket
from football_assets_tests.builders.landings import csv_of, json_of, listed, read_season
from football_assets_tests.builders.source_server import (
    Fault,
    SourceServer,
    body,
    cut_short,
    hang_up,
    status,
    without_length,
)

TODAY = date(2026, 8, 1)
SEASON = "2025-26"
QUICK = Manners(pause_seconds=0, attempts=2, first_wait_seconds=0.001, longest_wait_seconds=0.1)
OPENFOOTBALL = ("openfootball", f"/{SEASON}/en.1.json", f"raw/openfootball/{SEASON}/eng.1.json")
FOOTBALLCSV = ("footballcsv", f"/{SEASON}/eng.1.csv", f"raw/footballcsv/{SEASON}/eng.1.csv")
FOOTBALL_DATA = ("football-data", "/2526/E0.csv", f"raw/football-data/{SEASON}/eng.1.csv")
KINDS = [OPENFOOTBALL, FOOTBALLCSV, FOOTBALL_DATA]
_FIRST_DAY = date(2025, 8, 16)

Sync = Callable[..., SyncResult]


def of_two_seasons(before: int, within: int) -> bytes:
    """A list of so many matches of the season before and of SEASON."""
    days = [_FIRST_DAY - timedelta(days=300 - day) for day in range(before)]
    days += [_FIRST_DAY + timedelta(days=day) for day in range(within)]
    return csv_of(*(f"{day},Home {number},2-1,?,Away {number}" for number, day in enumerate(days))).encode()


def openfootball(matches: int, played: int | None = None, first: date = _FIRST_DAY) -> bytes:
    """A file of so many matches, those first in the list played."""
    days = [first + timedelta(weeks=number) for number in range(matches)]
    scores = ["2-1" if played is None or number < played else None for number in range(matches)]
    return json_of(
        *(
            listed(str(day), f"Home {number}", f"Away {number}", score)
            for number, (day, score) in enumerate(zip(days, scores, strict=True))
        )
    ).encode()


def footballcsv(matches: int) -> bytes:
    return csv_of(
        *(
            f"{_FIRST_DAY + timedelta(days=number):%a %b %d %Y},Home {number},2-1,1-0,Away {number}"
            for number in range(matches)
        )
    ).encode()


def football_data(matches: int, division: str = "E0") -> bytes:
    return csv_of(
        *(
            f"{division},{_FIRST_DAY + timedelta(days=number):%d/%m/%Y},Home {number},Away {number},2,1,H,2.5,3,2.9"
            for number in range(matches)
        ),
        header="Div,Date,HomeTeam,AwayTeam,FTHG,FTAG,FTR,AvgH,AvgD,AvgA",
    ).encode()


CONTENT: dict[str, Callable[[int], bytes]] = {
    "openfootball": openfootball,
    "footballcsv": footballcsv,
    "football-data": football_data,
}


@pytest.fixture
def settings(source: SourceServer) -> Settings:
    return Settings(
        openfootball_url=source.address,
        footballcsv_url=source.address,
        football_data_url=source.address,
        football_data_extra_url=source.address,
    )


@pytest.fixture
def sync(bucket: Bucket, settings: Settings) -> Sync:
    """Synchronise one file, of the season in SEASON and the Premier League, unless `more` changes that."""

    def run(name: str = "openfootball", **more: Any) -> SyncResult:
        arguments: dict[str, Any] = {
            "today": TODAY,
            "seasons": [SEASON],
            "leagues": ["eng.1"],
            "manners": QUICK,
        } | more
        return sync_sources(bucket, settings, [name], **arguments)

    return run


def only(result: SyncResult) -> SyncedFile:
    (file,) = result.files
    return file


@pytest.mark.parametrize(("name", "path", "object_name"), KINDS)
def test_a_file_lands_once_and_again_when_it_changes(
    bucket_url: str, settings: Settings, source: SourceServer, name: str, path: str, object_name: str
) -> None:
    bucket = open_bucket(bucket_url)

    def sync() -> tuple[SyncedFile, ObjectInfo | None, int]:
        before = len(source.requests)
        result = sync_sources(
            bucket, settings, [name], today=TODAY, seasons=[SEASON], leagues=["eng.1"], manners=QUICK
        )
        assert result.problem is None
        return only(result), bucket.stat(object_name), len(source.requests) - before

    source.files[path] = CONTENT[name](8)
    first, landed, _ = sync()
    assert (first.status, first.matches, first.object_name) == (FileStatus.NEW, 8, object_name)
    assert bucket.read(object_name) == CONTENT[name](8)
    assert read_season(bucket, SEASON, TODAY).matches.height == 8

    again, untouched, _ = sync()
    assert again.status is FileStatus.UNCHANGED
    assert source.requests[-1].headers["if-none-match"] == source.validators_of(CONTENT[name](8))["ETag"]
    assert untouched == landed

    source.files[path] = CONTENT[name](9)
    third, changed, requests = sync()
    assert (third.status, third.matches, requests) == (FileStatus.CHANGED, 9, 1)
    assert bucket.read(object_name) == CONTENT[name](9)
    assert changed is not None
    assert landed is not None
    assert changed.version != landed.version
    assert {info.name for info in bucket.list()} == {object_name, f"raw_sync/{name}.json"}


def sweden(*seasons: tuple[int, int]) -> bytes:
    """A file of all seasons of Sweden: so many matches of each year, with odds."""
    days = [date(year, 4, 1) + timedelta(days=number) for year, count in seasons for number in range(count)]
    return csv_of(
        *(
            f"Sweden,Allsvenskan,{day.year},{day:%d/%m/%Y},Home {day:%d%m},Away {day:%d%m},2,1,H,1.5,4.2,6.5"
            for day in days
        ),
        header="Country,League,Season,Date,Home,Away,HG,AG,Res,AvgCH,AvgCD,AvgCA",
    ).encode()


def test_a_file_of_all_seasons_lands_the_seasons_that_are_wanted(
    bucket: Bucket, source: SourceServer, sync: Sync
) -> None:
    source.files["/SWE.csv"] = sweden((2024, 20), (2025, 9), (2026, 8))
    wanted: dict[str, Any] = {"seasons": ["2025", "2026"], "leagues": ["se.1"]}

    result = sync("football-data-extra", **wanted)

    assert [(file.season, file.status, file.matches) for file in result.files] == [
        ("2025", FileStatus.NEW, 9),
        ("2026", FileStatus.NEW, 8),
    ]
    assert bucket.read("raw/football-data-extra/2026/se.1.csv") == sweden((2026, 8))
    read = read_season(bucket, "2025", TODAY).matches
    assert (read.height, read["closing_odds_home"].to_list()[0]) == (9, 1.5)
    assert {file.status for file in sync("football-data-extra", **wanted).files} == {FileStatus.UNCHANGED}

    source.files["/SWE.csv"] = sweden((2024, 20), (2025, 9), (2026, 9))
    changed = sync("football-data-extra", **wanted)
    assert [file.status for file in changed.files] == [FileStatus.UNCHANGED, FileStatus.CHANGED]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (sweden((2024, 20)), "The file has 0 matches, the landed object 8"),
        (sweden((2024, 20), (2026, 8))[:-20], "is truncated"),
        (b"<html>Moved</html>", "HTML page"),
    ],
)
def test_a_worse_file_of_all_seasons_replaces_no_season(
    bucket: Bucket, source: SourceServer, sync: Sync, data: bytes, message: str
) -> None:
    source.files["/SWE.csv"] = sweden((2024, 20), (2026, 8))
    wanted: dict[str, Any] = {"seasons": ["2026"], "leagues": ["se.1"]}
    sync("football-data-extra", **wanted)

    source.files["/SWE.csv"] = data
    refused = only(sync("football-data-extra", **wanted))

    assert refused.status is FileStatus.REJECTED
    assert message in refused.note
    assert bucket.read("raw/football-data-extra/2026/se.1.csv") == sweden((2026, 8))


def test_a_season_that_a_file_of_all_seasons_lacks_is_missing(source: SourceServer, sync: Sync) -> None:
    source.files["/SWE.csv"] = sweden((2025, 9))

    result = sync("football-data-extra", seasons=["2026"], leagues=["se.1"])

    assert only(result).status is FileStatus.MISSING


def test_a_file_of_all_seasons_with_its_header_alone_has_no_matches_yet(
    bucket: Bucket, source: SourceServer, sync: Sync
) -> None:
    source.files["/SWE.csv"] = sweden()
    result = sync("football-data-extra", seasons=["2026"], leagues=["se.1"])
    assert (only(result).status, only(result).note) == (FileStatus.MISSING, "The file has no matches yet.")
    assert list(bucket.list("raw/")) == []


def test_rows_of_an_unknown_division_stay_in_their_season(
    bucket: Bucket, source: SourceServer, sync: Sync
) -> None:
    wanted: dict[str, Any] = {"seasons": ["2025", "2026"], "leagues": ["se.1"]}
    source.files["/SWE.csv"] = sweden((2025, 9), (2026, 8)).replace(b"Allsvenskan", b"Tipsligan")
    result = sync("football-data-extra", **wanted)
    assert [(file.status, file.matches) for file in result.files] == [
        (FileStatus.NEW, 9),
        (FileStatus.NEW, 8),
    ]

    renamed = sweden((2026, 1)).replace(b"Allsvenskan", b"Tipsligan").splitlines()[1]
    source.files["/SWE.csv"] = sweden((2026, 8), (2025, 9)) + renamed + b"\n"
    sync("football-data-extra", **wanted)
    assert renamed in bucket.read("raw/football-data-extra/2026/se.1.csv")
    assert renamed not in bucket.read("raw/football-data-extra/2025/se.1.csv")


def test_a_landing_object_that_someone_changed_is_fetched_anew(
    bucket: Bucket, source: SourceServer, sync: Sync
) -> None:
    _, path, object_name = OPENFOOTBALL
    source.files[path] = openfootball(8)
    sync()
    bucket.write(object_name, openfootball(7))
    assert only(sync()).status is FileStatus.CHANGED
    assert "if-none-match" not in source.requests[-1].headers
    assert bucket.read(object_name) == openfootball(8)
    bucket.delete(object_name)
    assert only(sync()).status is FileStatus.NEW


def test_another_address_does_not_inherit_what_the_first_one_said(
    bucket: Bucket, source: SourceServer, sync: Sync, settings: Settings
) -> None:
    source.files[OPENFOOTBALL[1]] = source.files["/mirror" + OPENFOOTBALL[1]] = openfootball(8)
    sync()
    settings.openfootball_url = f"{source.address}/mirror/"
    assert only(sync()).status is FileStatus.UNCHANGED
    assert source.requests[-1].path == "/mirror" + OPENFOOTBALL[1]
    assert "if-none-match" not in source.requests[-1].headers


def test_equal_content_without_validators_is_no_new_version(
    bucket: Bucket, source: SourceServer, sync: Sync
) -> None:
    _, path, object_name = OPENFOOTBALL
    source.files[path] = openfootball(8)
    sync()
    before = bucket.stat(object_name)
    bucket.delete("raw_sync/openfootball.json")
    assert only(sync()).status is FileStatus.UNCHANGED
    assert bucket.stat(object_name) == before
    source.requests.clear()
    assert only(sync()).status is FileStatus.UNCHANGED
    assert "if-none-match" in source.requests[0].headers


def test_a_spoilt_record_of_validators_costs_only_a_fetch(
    bucket: Bucket, source: SourceServer, sync: Sync
) -> None:
    source.files[OPENFOOTBALL[1]] = openfootball(8)
    sync()
    bucket.write("raw_sync/openfootball.json", b"{")
    assert only(sync()).status is FileStatus.UNCHANGED
    assert json.loads(bucket.read("raw_sync/openfootball.json"))["files"].keys() == {OPENFOOTBALL[2]}


def test_files_landed_by_hand_are_compared_with(
    bucket: Bucket, source: SourceServer, sync: Sync, tmp_path: Path
) -> None:
    _, path, object_name = OPENFOOTBALL
    file = tmp_path / "openfootball" / SEASON / "en.1.json"
    file.parent.mkdir(parents=True)
    file.write_bytes(openfootball(8))
    assert land(bucket, [file]).objects == [object_name]
    source.files[path] = openfootball(8)
    assert only(sync()).status is FileStatus.UNCHANGED


def test_leagues_not_there_yet_are_reported_and_the_rest_lands(source: SourceServer, sync: Sync) -> None:
    source.files[f"/{SEASON}/de.1.json"] = openfootball(6)
    source.files[f"/{SEASON}/es.1.json"] = json_of().encode()
    seen: list[SyncedFile] = []
    result = sync(leagues=["eng.1", "de.1", "es.1"], report=seen.append)
    assert {file.league_id: file.status for file in result.files} == {
        "eng.1": FileStatus.MISSING,
        "de.1": FileStatus.NEW,
        "es.1": FileStatus.MISSING,
    }
    assert result.problem is None
    assert result.summary == "3 files requested: 1 new, 2 missing."
    assert tuple(seen) == result.files


def test_nothing_there_at_all_is_a_problem(sync: Sync) -> None:
    assert str(sync().problem).startswith("None of the 1 files exists, such as http://127.0.0.1")


BROKEN: list[tuple[str, Fault, str]] = [
    ("openfootball", cut_short(openfootball(9)[:300], 3000), "was interrupted"),
    ("openfootball", body(openfootball(9)[:300]), "broken JSON"),
    ("openfootball", without_length(openfootball(9)[:-1]), "broken JSON"),
    ("openfootball", body(b"<!DOCTYPE html><html>We will be back soon</html>"), "HTML page"),
    ("openfootball", body(b""), "empty"),
    ("openfootball", body(b'{"message": "API rate limit exceeded"}'), "neither 'matches' nor 'rounds'"),
    ("openfootball", body(footballcsv(9)), "The file is CSV, not JSON"),
    ("openfootball", body(openfootball(2)), "2 matches, the landed object 8: if that is right, remove"),
    ("openfootball", body(json_of().encode()), "0 matches, the landed object 8"),
    ("openfootball", body(openfootball(8, played=0)), "0 results, the landed object 8"),
    (
        "openfootball",
        body(openfootball(8, first=date(2024, 8, 16))),
        "The first is matches[0]: The date 2024-08-16 is outside the season",
    ),
    (
        "openfootball",
        body(json_of(*[{"date": "16 Aug", "team1": "a", "team2": "b"}] * 8).encode()),
        "None of its 8 records is a match. The first is matches[0]: The date '16 Aug'",
    ),
    ("footballcsv", body(footballcsv(9)[:-30]), "is truncated: its last line is 'Sun Aug '"),
    ("footballcsv", without_length(footballcsv(9)[:-3]), "is truncated"),
    ("footballcsv", body(b"\n<html><body>Moved</body></html>"), "HTML page"),
    ("footballcsv", body(b"404: Not Found"), "lacks the column"),
    ("footballcsv", body(openfootball(9)), "The file is JSON, not CSV"),
    ("football-data", body(football_data(9)[:-10]), "is truncated"),
    (
        "football-data",
        body(football_data(9, "E1")),
        "The file is of E1 (Championship, eng.2), but its name",
    ),
    ("football-data", body(b"Div,Date,HomeTeam,AwayTeam\n"), "0 matches, the landed object 8"),
    ("football-data", body(football_data(2)), "2 matches, the landed object 8"),
]


@pytest.mark.parametrize(("name", "fault", "message"), BROKEN)
def test_a_worse_file_never_replaces_a_good_one(
    bucket: Bucket, source: SourceServer, sync: Sync, name: str, fault: Fault, message: str
) -> None:
    path, object_name = {kind[0]: kind[1:] for kind in KINDS}[name]
    good = CONTENT[name](8)
    source.files[path] = good
    sync(name)
    landed, remembered = bucket.stat(object_name), bucket.read(f"raw_sync/{name}.json")

    source.fail(path, fault, fault)
    result = sync(name)

    assert only(result).status is FileStatus.REJECTED
    assert message in only(result).note
    assert message in str(result.problem)
    assert f"{object_name} was not replaced" in str(result.problem)
    assert bucket.stat(object_name) == landed
    assert bucket.read(object_name) == good
    assert bucket.read(f"raw_sync/{name}.json") == remembered
    source.faults.clear()
    assert only(sync(name)).status is FileStatus.UNCHANGED


def test_another_seasons_file_does_not_land_though_a_few_rows_fit(
    bucket: Bucket, source: SourceServer, sync: Sync
) -> None:
    source.files[FOOTBALLCSV[1]] = of_two_seasons(9, 8)
    refused = only(sync("footballcsv"))
    assert (refused.status, bucket.stat(FOOTBALLCSV[2])) == (FileStatus.REJECTED, None)
    assert refused.note.startswith(
        "9 of its 17 records are rejected. The first is line 2: The date 2024-10-20 is outside"
    )
    source.files[FOOTBALLCSV[1]] = of_two_seasons(8, 8)
    assert only(sync("footballcsv")).status is FileStatus.NEW


def test_a_worse_file_lands_once_the_better_one_is_removed(
    bucket: Bucket, source: SourceServer, sync: Sync
) -> None:
    _, path, object_name = OPENFOOTBALL
    source.files[path] = openfootball(8)
    sync()
    source.files[path] = openfootball(2)
    assert only(sync()).status is FileStatus.REJECTED
    bucket.delete(object_name)
    assert only(sync()).status is FileStatus.NEW


@pytest.mark.parametrize(("before", "after"), [(8, 4), (15, 10), (40, 36)])
def test_a_few_matches_fewer_are_a_correction(
    source: SourceServer, sync: Sync, before: int, after: int
) -> None:
    source.files[OPENFOOTBALL[1]] = openfootball(before)
    sync()
    source.files[OPENFOOTBALL[1]] = openfootball(after)
    assert only(sync()).status is FileStatus.CHANGED


def test_a_last_line_without_an_end_must_be_whole_and_name_known_teams(
    source: SourceServer, sync: Sync
) -> None:
    rows = ["Sat Aug 16 2025,Leeds,2-1,?,Hull", "Sat Aug 23 2025,Hull,2-1,?,Leeds"]
    whole = csv_of(*rows).encode()[:-1]
    source.files[FOOTBALLCSV[1]] = whole[:-1]
    assert (
        only(sync("footballcsv")).note
        == "The file is truncated: its last line is 'Sat Aug 23 2025,Hull,2-1,?,Leed'."
    )
    source.fail(FOOTBALLCSV[1], without_length(whole))
    assert only(sync("footballcsv")).status is FileStatus.REJECTED
    source.files[FOOTBALLCSV[1]] = whole
    assert only(sync("footballcsv")).status is FileStatus.NEW


def test_an_object_that_cannot_be_read_is_a_problem_but_the_rest_lands(
    bucket: LocalBucket, source: SourceServer, sync: Sync
) -> None:
    unreadable = bucket.root / OPENFOOTBALL[2]
    unreadable.parent.mkdir(parents=True)
    unreadable.symlink_to(unreadable.name)
    source.files[f"/{SEASON}/en.1.json"] = openfootball(6)
    source.files[f"/{SEASON}/de.1.json"] = openfootball(6)
    result = sync(leagues=["eng.1", "de.1"])
    assert [file.status for file in result.files] == [FileStatus.REJECTED, FileStatus.NEW]
    assert "cannot be read: Too many levels of symbolic links" in str(result.problem)
    assert unreadable.is_symlink()


def test_a_refused_file_is_a_problem_but_the_rest_lands(
    bucket: Bucket, source: SourceServer, sync: Sync
) -> None:
    source.files[f"/{SEASON}/en.1.json"] = b"<html>"
    source.files[f"/{SEASON}/de.1.json"] = openfootball(6)
    result = sync(leagues=["eng.1", "de.1"])
    assert [file.status for file in result.files] == [FileStatus.REJECTED, FileStatus.NEW]
    assert "en.1.json is rejected" in str(result.problem)
    assert bucket.stat(f"raw/openfootball/{SEASON}/de.1.json") is not None


@pytest.mark.parametrize("fault", [status(503), status(429), hang_up])
def test_a_file_that_cannot_be_had_now_is_left_for_the_next_time(
    bucket: Bucket, source: SourceServer, sync: Sync, fault: Fault
) -> None:
    _, path, object_name = OPENFOOTBALL
    source.files[path] = openfootball(8)
    sync()
    source.files[path] = openfootball(9)
    source.fail(path, fault, fault)
    result = sync()
    assert only(result).status is FileStatus.FAILED
    assert str(result.problem).startswith("Nothing could be fetched. http://127.0.0.1")
    assert bucket.read(object_name) == openfootball(8)
    assert only(sync()).status is FileStatus.CHANGED


def test_one_failure_among_files_is_no_problem(source: SourceServer, sync: Sync) -> None:
    source.files[f"/{SEASON}/de.1.json"] = openfootball(6)
    source.fail(f"/{SEASON}/en.1.json", status(500), status(500))
    result = sync(leagues=["eng.1", "de.1"])
    assert [file.status for file in result.files] == [FileStatus.FAILED, FileStatus.NEW]
    assert result.problem is None


@pytest.mark.parametrize(
    ("fault", "asked"),
    [
        (status(429), [f"/{SEASON}/en.1.json"] * 2),
        (status(503, Retry_After="3600"), [f"/{SEASON}/en.1.json"]),
        (status(403), [f"/{SEASON}/en.{tier}.json" for tier in (1, 2, 3)]),
    ],
)
def test_a_source_that_gives_nothing_is_not_asked_for_everything(
    source: SourceServer, sync: Sync, fault: Fault, asked: list[str]
) -> None:
    for tier in (1, 2, 3, 4):
        source.fail(f"/{SEASON}/en.{tier}.json", fault, fault)
    result = sync(leagues=["eng.1", "eng.2", "eng.3", "eng.4"])
    assert source.paths == asked
    assert [file.status for file in result.files] == [FileStatus.FAILED] * 4
    assert result.files[-1].note.startswith("Not requested")


def test_what_landed_before_an_interruption_is_remembered(source: SourceServer, sync: Sync) -> None:
    for league in ("en.1", "de.1"):
        source.files[f"/{SEASON}/{league}.json"] = openfootball(8)

    def interrupt(file: SyncedFile) -> None:
        if file.league_id == "de.1":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sync(leagues=["eng.1", "de.1"], report=interrupt)
    result = sync(leagues=["eng.1", "de.1"])
    assert [file.status for file in result.files] == [FileStatus.UNCHANGED] * 2
    assert all("if-none-match" in request.headers for request in source.requests[-2:])


class ContestedBucket(LocalBucket):
    """A bucket in which someone else writes each object of a list just before we do."""

    def __init__(self, root: Path, others: dict[str, list[bytes]]) -> None:
        super().__init__(root)
        self.others = others

    def write(self, name: str, data: bytes, *, if_version: Any = None) -> ObjectInfo:
        contents = self.others.get(name)
        if contents:
            super().write(name, contents.pop(0))
        return super().write(name, data, if_version=if_version)


@pytest.mark.parametrize(
    ("other", "final", "became"),
    [
        (openfootball(8), 8, FileStatus.UNCHANGED),
        (openfootball(7), 8, FileStatus.CHANGED),
        (openfootball(20), 20, FileStatus.REJECTED),
    ],
)
def test_what_someone_else_lands_meanwhile_is_compared_with_and_not_overwritten_unseen(
    source: SourceServer, settings: Settings, tmp_path: Path, other: bytes, final: int, became: FileStatus
) -> None:
    _, path, object_name = OPENFOOTBALL
    source.files[path] = openfootball(8)
    bucket = ContestedBucket(tmp_path / "contested", {object_name: [other]})
    result = sync_sources(
        bucket, settings, ["openfootball"], today=TODAY, seasons=[SEASON], leagues=["eng.1"], manners=QUICK
    )
    assert only(result).status is became
    assert bucket.read(object_name) == openfootball(final)


def test_two_synchronisations_at_once_keep_each_others_validators(
    source: SourceServer, settings: Settings, tmp_path: Path
) -> None:
    other = {"files": {"raw/openfootball/2025-26/de.1.json": {"url": "http://x", "version": "1"}}}
    name = "raw_sync/openfootball.json"
    source.files[OPENFOOTBALL[1]] = openfootball(8)
    bucket = ContestedBucket(tmp_path / "contested", {name: [json.dumps(other).encode()]})
    sync_sources(
        bucket, settings, ["openfootball"], today=TODAY, seasons=[SEASON], leagues=["eng.1"], manners=QUICK
    )
    assert json.loads(bucket.read(name))["files"].keys() == {*other["files"], OPENFOOTBALL[2]}


def test_several_sources_are_asked_one_after_another(
    bucket: Bucket, source: SourceServer, settings: Settings
) -> None:
    for name, path, _ in KINDS:
        source.files[path] = CONTENT[name](8)
    names = [name for name, _, _ in KINDS]
    result = sync_sources(
        bucket,
        settings,
        [*names, "openfootball"],
        today=TODAY,
        seasons=[SEASON],
        leagues=["eng.1"],
        manners=QUICK,
    )
    assert [file.source for file in result.files] == names
    assert result.summary == "3 files requested: 3 new."


@pytest.mark.parametrize("names", [[], ["openfootball", "fifa"]])
def test_a_source_that_does_not_exist_is_refused_before_any_is_asked(
    bucket: Bucket, source: SourceServer, settings: Settings, names: list[str]
) -> None:
    with pytest.raises(FootballError, match="source"):
        sync_sources(bucket, settings, names, today=TODAY)
    assert source.requests == []
