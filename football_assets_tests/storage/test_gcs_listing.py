"""Ranges of names that are listed in parallel: the objects and the order of one listing after another."""

import json
import threading
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from football_assets.errors import BucketError
from football_assets.storage import gcs, gcs_listing
from football_assets.storage.bucket import Bucket
from football_assets.storage.gcs import GcsBucket
from football_assets.storage.opening import open_bucket
from football_assets_tests.builders.gcs_server import Answer, Front, Request, refuse

PARTS = st.lists(st.sampled_from(["a", "b", "bb", "c-d", "é", "z", "0"]), min_size=1, max_size=4)
NAMES = st.sets(
    PARTS.map(lambda parts: f"{'/'.join(parts)}.csv"), min_size=1, max_size=40
)  # no file is also a folder


@pytest.fixture(autouse=True)
def _small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gcs, "_PAGE", 3)
    monkeypatch.setattr(gcs, "_FIRST_PAUSE_SECONDS", 0.02)
    monkeypatch.setattr(gcs_listing, "_PAGES_IN_SEQUENCE", 1)
    monkeypatch.setattr(gcs_listing, "_RANGES", 4)


@pytest.fixture
def bucket(gcs_front: Front, gcs_url: str) -> GcsBucket:
    """A bucket behind the front, with files of seasons in folders of sources."""
    opened = gcs_front.open(gcs_url)
    for source in "xy":
        for season in range(3):
            for number in range(4):
                opened.write(f"raw/{source}/{season}/{number}.csv", b"")
    gcs_front.requests.clear()
    return opened


def names(bucket: Bucket, prefix: str = "raw/") -> list[str]:
    return [item.name for item in bucket.list(prefix)]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names_there=NAMES, prefix=st.sampled_from(["", "a", "a/", "b", "b/bb/", "é/", "z/z/z"]))
def test_a_listing_in_ranges_has_the_objects_and_the_order_of_one_without(
    gcs_url: str, names_there: set[str], prefix: str
) -> None:
    bucket = open_bucket(gcs_url)
    for item in bucket.list():
        bucket.delete(item.name)
    for name in names_there:
        bucket.write(name, b"")

    expected = sorted(name for name in names_there if name.startswith(prefix))

    assert names(bucket, prefix) == expected


def test_the_first_page_is_all_that_its_reader_waits_for(bucket: GcsBucket, gcs_front: Front) -> None:
    assert next(iter(bucket.list("raw/"))).name == "raw/x/0/0.csv"
    assert len(gcs_front.requests) == 1


def test_a_listing_of_few_pages_costs_a_request_for_each(
    bucket: GcsBucket, gcs_front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gcs_listing, "_PAGES_IN_SEQUENCE", 8)

    assert len(names(bucket)) == 24
    assert len(gcs_front.requests) == 8


def test_ranges_begin_at_folders_of_the_level_that_has_enough_of_them(
    bucket: GcsBucket, gcs_front: Front
) -> None:
    assert len(names(bucket)) == 24

    cuts = {start for request in gcs_front.requests for start in request.query.get("startOffset", ())}
    assert {cut.partition("raw/")[2] for cut in cuts} == {"x/0/2.csv", "x/1/", "x/2/", "y/1/"}


def test_objects_without_folders_cost_one_request_more_than_their_pages(
    gcs_url: str, gcs_front: Front
) -> None:
    bucket = gcs_front.open(gcs_url)
    written = [bucket.write(f"raw/{number}", b"12345678") for number in range(8)]
    gcs_front.requests.clear()

    assert list(bucket.list("raw/")) == written
    assert (
        len(gcs_front.requests) <= 5
    )  # the first page, that of the folders, and the rest from its last object on


def test_a_range_that_fails_for_a_moment_is_requested_again(bucket: GcsBucket, gcs_front: Front) -> None:
    gcs_front.fail("GET", "/o", _pass, refuse(503, "Backend Error"), refuse(503, "Backend Error"))

    assert len(names(bucket)) == 24


def test_a_range_that_is_denied_ends_the_listing_with_the_permission_it_lacks(
    bucket: GcsBucket, gcs_front: Front
) -> None:
    gcs_front.fail("GET", "/o", *[_pass] * 4, *[refuse(403, "no")] * 10)

    with pytest.raises(BucketError, match="storage.objects.list"):
        names(bucket)


def _pass(request: Request, forward: Callable[[], Answer]) -> Answer:
    return forward()


def test_an_empty_page_that_names_a_next_one_is_not_the_end(bucket: GcsBucket, gcs_front: Front) -> None:
    """The service sends such pages where it has passed many objects that are no more."""

    def emptied(request: Request, forward: Callable[[], Answer]) -> Answer:
        answer = forward()
        page = json.loads(answer.body)
        assert page["nextPageToken"]
        body = json.dumps({"kind": page["kind"], "nextPageToken": page["nextPageToken"]}).encode()
        return Answer(answer.status, {"Content-Type": "application/json"}, body)

    gcs_front.fail("GET", "/o", emptied)

    assert len(names(bucket)) == 24


def test_a_reader_that_ends_early_waits_for_a_page_not_for_a_range(
    bucket: GcsBucket, gcs_front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gcs_listing, "_THREADS", 1)
    monkeypatch.setattr(gcs_listing, "_RANGES", 2)
    is_closing = threading.Event()

    def held(request: Request, forward: Callable[[], Answer]) -> Answer:
        if request.query.get("startOffset", [""])[0].endswith("raw/y/"):
            is_closing.wait(20)
        return forward()

    gcs_front.listing = held
    listing = bucket.list("raw/")
    assert [next(listing).name for _ in range(4)][-1] == "raw/x/0/3.csv"  # of the first range
    threading.Timer(0.5, is_closing.set).start()
    listing.close()  # type: ignore[attr-defined]  # as an error of its reader does

    second = [each for each in gcs_front.requests if "raw/y/" in each.query.get("startOffset", [""])[0]]
    assert len(second) == 1  # of four pages
