"""Google Cloud Storage, through a front that fails: what is repeated, what is reported, and in which words."""

import json
import os
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from football_assets.errors import BucketError, ObjectNotFound, PreconditionFailed
from football_assets.storage import gcs
from football_assets.storage.bucket import ABSENT, Bucket
from football_assets.storage.gcs import GcsBucket
from football_assets.storage.opening import open_bucket
from football_assets_tests.builders.gcs_server import (
    Answer,
    Fault,
    Front,
    GcsServer,
    Request,
    corrupt,
    lose_answer,
    lose_answer_and,
    lose_request,
    refuse,
    truncate,
)

MIB = 1 << 20
BUSY = refuse(503, "Backend Error")


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gcs, "_FIRST_PAUSE_SECONDS", 0.02)


@pytest.fixture
def bucket(gcs_front: Front, gcs_url: str) -> GcsBucket:
    """A bucket behind the front, with one object."""
    opened = gcs_front.open(gcs_url)
    opened.write("a", b"hello")
    gcs_front.requests.clear()
    return opened


@pytest.fixture
def other(gcs_url: str) -> Bucket:
    """The same bucket, as another process has it."""
    return open_bucket(gcs_url)


def version(bucket: Bucket, name: str) -> str:
    info = bucket.stat(name)
    assert info is not None
    return info.version


def downloaded(bucket: Bucket, path: Path) -> bytes:
    bucket.download("a", path)
    return path.read_bytes()


def is_gone_when_deleted(bucket: Bucket) -> bool:
    bucket.delete("a")
    return bucket.stat("a") is None


# What each operation does and the method of its request.
OPERATIONS: dict[str, tuple[str, Callable[[GcsBucket, Path], Any]]] = {
    "list": ("GET", lambda bucket, path: [item.name for item in bucket.list()] == ["a"]),
    "stat": ("GET", lambda bucket, path: bucket.stat("a").size == 5),  # type: ignore[union-attr]
    "read": ("GET", lambda bucket, path: bucket.read("a") == b"hello"),
    "download": ("GET", lambda bucket, path: downloaded(bucket, path) == b"hello"),
    "write": ("POST", lambda bucket, path: bucket.write("b", b"new").size == 3),
    "create": ("POST", lambda bucket, path: bucket.write("b", b"new", if_version=ABSENT).size == 3),
    "upload": ("POST", lambda bucket, path: bucket.upload(Path(__file__), "b").size > 0),
    "delete": ("DELETE", lambda bucket, path: is_gone_when_deleted(bucket)),
}
operations = pytest.mark.parametrize("operation", OPERATIONS)


@operations
@pytest.mark.parametrize(
    "fault",
    [BUSY, refuse(429), refuse(500), lose_request, lose_answer],
    ids=["503", "429", "500", "cut", "lost"],
)
def test_what_fails_for_a_passing_reason_is_done_again(
    bucket: GcsBucket, gcs_front: Front, tmp_path: Path, operation: str, fault: Fault
) -> None:
    method, operate = OPERATIONS[operation]
    gcs_front.fail(method, "/", fault, fault)

    assert operate(bucket, tmp_path / "copy")
    assert gcs_front.count(method) >= 3


@operations
def test_a_failure_that_does_not_pass_is_reported_after_the_deadline(
    gcs_front: Front, gcs_url: str, tmp_path: Path, operation: str
) -> None:
    gcs_front.open(gcs_url).write("a", b"hello")
    bucket = gcs_front.open(gcs_url, deadline_seconds=0.2)
    method, operate = OPERATIONS[operation]
    gcs_front.fail(method, "/", *[BUSY] * 100)

    with pytest.raises(BucketError, match=r"could not .* for 0 s \(503 Backend Error\): try again later\.$"):
        operate(bucket, tmp_path / "copy")
    assert list(tmp_path.iterdir()) == []


def test_every_write_makes_a_new_version(bucket: GcsBucket) -> None:
    assert bucket.write("b", b"one").version != bucket.write("b", b"one").version


# A repeated conditional write.


@pytest.mark.parametrize("condition", ["absent", "version"])
def test_a_conditional_write_whose_answer_was_lost_is_no_failure(
    bucket: GcsBucket, gcs_front: Front, condition: str
) -> None:
    gcs_front.fail("POST", "/upload/", lose_answer)
    name = "b" if condition == "absent" else "a"

    info = bucket.write(name, b"mine", if_version=ABSENT if name == "b" else version(bucket, "a"))

    assert info == bucket.stat(name)
    assert bucket.read(name) == b"mine"
    assert gcs_front.count("POST") == 2


def test_a_write_finds_itself_under_those_that_came_after_it(
    bucket: GcsBucket, gcs_front: Front, other: Bucket
) -> None:
    versions: list[str] = []

    def overwrite() -> None:
        for number in range(3):
            versions.append(version(other, "b"))
            other.write("b", b"%d" % number, if_version=versions[-1])

    gcs_front.fail("POST", "/upload/", lose_answer_and(overwrite))

    info = bucket.write("b", b"mine", if_version=ABSENT)

    assert (info.name, info.version, info.size) == ("b", versions[0], 4)
    assert bucket.read("b") == b"2"


def test_a_write_that_another_came_before_is_refused_even_if_both_write_the_same(
    bucket: GcsBucket, gcs_front: Front, other: Bucket
) -> None:
    def cut(request: Request, forward: Callable[[], Answer]) -> Answer:
        other.write("b", b"same", if_version=ABSENT)
        return lose_request(request, forward)

    gcs_front.fail("POST", "/upload/", cut)

    with pytest.raises(PreconditionFailed, match=f"'b' already exists in bucket {bucket.url} as "):
        bucket.write("b", b"same", if_version=ABSENT)


def test_a_conditional_deletion_whose_answer_was_lost_is_no_failure(
    bucket: GcsBucket, gcs_front: Front
) -> None:
    gcs_front.fail("DELETE", "/", lose_answer)

    bucket.delete("a", if_version=version(bucket, "a"))

    assert bucket.stat("a") is None


def test_a_refusal_is_not_repeated(bucket: GcsBucket, gcs_front: Front) -> None:
    with pytest.raises(PreconditionFailed):
        bucket.write("a", b"new", if_version=ABSENT)

    assert gcs_front.count("POST") == 1


# Contents that arrive broken.


@pytest.mark.parametrize("fault", [truncate, corrupt])
@pytest.mark.parametrize("size", [5, 3 * MIB])
def test_a_body_that_arrives_broken_is_asked_for_again(
    bucket: GcsBucket, gcs_front: Front, tmp_path: Path, fault: Fault, size: int
) -> None:
    content = os.urandom(size)
    bucket.write("b", content)
    gcs_front.fail("GET", "/download/", fault, fault, fault)
    (tmp_path / "copy").write_bytes(b"before")

    assert bucket.read("b") == content
    gcs_front.fail("GET", "/download/", fault)
    bucket.download("b", tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == content


def test_an_object_replaced_while_it_is_read_is_read_as_one_content(
    bucket: GcsBucket, gcs_front: Front, other: Bucket
) -> None:
    def replaced(request: Request, forward: Callable[[], Answer]) -> Answer:
        answer = truncate(request, forward)
        other.write("b", b"new" * MIB)
        return answer

    bucket.write("b", b"old" * MIB)
    gcs_front.fail("GET", "/download/", replaced)

    assert bucket.read("b") == b"new" * MIB


def test_a_listing_cut_in_the_middle_is_asked_for_again(bucket: GcsBucket, gcs_front: Front) -> None:
    gcs_front.fail("GET", "/o", truncate)

    assert [item.name for item in bucket.list()] == ["a"]


# Uploads in chunks.


def big_file(tmp_path: Path) -> Path:
    path = tmp_path / "big"
    path.write_bytes(os.urandom(MIB) * 40)  # three chunks
    return path


@pytest.mark.parametrize("fault", [BUSY, lose_request])
def test_only_the_chunk_that_failed_is_sent_again(
    bucket: GcsBucket, gcs_front: Front, tmp_path: Path, fault: Fault
) -> None:
    source = big_file(tmp_path)
    forwarded = 0

    def second(request: Request, forward: Callable[[], Answer]) -> Answer:
        nonlocal forwarded
        forwarded += 1
        return forward()

    gcs_front.fail("PUT", "/upload/", second, fault)

    info = bucket.upload(source, "big")

    assert info == bucket.stat("big")
    assert bucket.read("big") == source.read_bytes()
    assert (gcs_front.count("POST"), gcs_front.count("PUT"), forwarded) == (1, 4, 1)


def test_an_upload_of_which_the_service_kept_less_than_it_was_sent_begins_anew(
    bucket: GcsBucket, gcs_front: Front, tmp_path: Path
) -> None:
    source = big_file(tmp_path)

    def kept_less(request: Request, forward: Callable[[], Answer]) -> Answer:
        answer = forward()
        return Answer(answer.status, {**answer.headers, "Range": f"bytes=0-{MIB - 1}"}, answer.body)

    gcs_front.fail("PUT", "/upload/", kept_less)

    bucket.upload(source, "big")

    assert bucket.read("big") == source.read_bytes()
    assert gcs_front.count("POST") == 2


def test_an_upload_whose_session_is_gone_begins_anew(
    bucket: GcsBucket, gcs_front: Front, tmp_path: Path
) -> None:
    source = big_file(tmp_path)
    gcs_front.fail("PUT", "/upload/", refuse(404, "No such upload session"))

    bucket.upload(source, "big")

    assert bucket.read("big") == source.read_bytes()


def test_a_large_conditional_write_whose_answer_was_lost_is_no_failure(
    bucket: GcsBucket, gcs_front: Front
) -> None:
    content = os.urandom(MIB) * 9
    gcs_front.fail("PUT", "/upload/", lose_answer)

    info = bucket.write("big", content, if_version=ABSENT)

    assert info == bucket.stat("big")
    assert bucket.read("big") == content


# Listings.


def test_an_object_that_is_missing_costs_one_request_once_the_bucket_is_known(
    bucket: GcsBucket, gcs_front: Front
) -> None:
    assert [bucket.stat(name) for name in "bcd"] == [None] * 3

    assert len(gcs_front.requests) == 4  # one reads the bucket


def test_a_bucket_sees_its_part_and_no_folders_made_by_hand(gcs_url: str, other: Bucket) -> None:
    whole = open_bucket("/".join(gcs_url.split("/")[:3]))
    beside = open_bucket(f"{gcs_url}-old")
    for place, name in ((other, "raw/a"), (beside, "raw/b"), (whole, "raw/c")):
        place.write(name, b"")
    for placeholder in (f"{gcs_url}/", f"{gcs_url}/raw/"):
        blob = whole._client.bucket(gcs_url.split("/")[2]).blob(placeholder.split("/", 3)[3])  # type: ignore[attr-defined]
        blob.upload_from_string(b"")

    assert [item.name for item in other.list()] == ["raw/a"]
    assert [item.name for item in beside.list()] == ["raw/b"]
    assert [item.name for item in whole.list()] == ["deep/part-old/raw/b", "deep/part/raw/a", "raw/c"]


# Errors a person can act on.


def message_of(bucket: GcsBucket, operation: str, path: Path) -> str:
    with pytest.raises(BucketError) as caught:
        OPERATIONS[operation][1](bucket, path)
    assert not isinstance(caught.value, ObjectNotFound | PreconditionFailed)
    message = str(caught.value)
    assert "\n" not in message
    return message


@operations
def test_a_bucket_that_is_missing_is_not_taken_for_an_empty_one(
    gcs_front: Front, tmp_path: Path, operation: str
) -> None:
    message = message_of(gcs_front.open("gs://no-such-bucket/part"), operation, tmp_path / "copy")

    assert message == (
        "There is no bucket gs://no-such-bucket: create it, or set FOOTBALL_BUCKET to another."
    )


def test_a_bucket_deleted_meanwhile_is_not_taken_for_an_empty_one(
    bucket: GcsBucket, gcs_front: Front
) -> None:
    gcs_front.fail("GET", "/o/", refuse(404, "The specified bucket does not exist."))

    with pytest.raises(BucketError, match="There is no bucket gs://"):
        bucket.stat("a")


@pytest.mark.parametrize(
    ("operation", "permission"),
    [
        ("list", "storage.objects.list"),
        ("read", "storage.objects.get"),
        ("write", "storage.objects.create"),
        ("delete", "storage.objects.delete"),
    ],
)
def test_a_permission_that_is_missing_is_named(
    bucket: GcsBucket, gcs_front: Front, tmp_path: Path, operation: str, permission: str
) -> None:
    account = "robot@project.iam.gserviceaccount.com"
    said = f"{account} does not have {permission} access to the Google Cloud Storage object."
    method = OPERATIONS[operation][0]
    gcs_front.fail(method, "/", refuse(403, said), refuse(403, "Forbidden"))

    first = message_of(bucket, operation, tmp_path / "copy")
    second = message_of(bucket, operation, tmp_path / "copy")

    assert first.startswith(f"{account} may not {operation} ")
    assert f"in bucket {bucket.url}: it lacks the permission {permission}. Grant it" in first
    assert "roles/storage.objectUser" in first
    assert second.startswith(f"The account in use may not {operation} ")
    assert f"lacks the permission {permission} (Forbidden). Grant it" in second


def test_a_request_that_is_refused_otherwise_says_what_the_service_said(
    bucket: GcsBucket, gcs_front: Front, tmp_path: Path
) -> None:
    gcs_front.fail(
        "GET", "/", refuse(400, "Bucket is a requester pays bucket\nbut no user project provided.")
    )

    assert message_of(bucket, "stat", tmp_path) == (
        f"Bucket {bucket.url} could not read 'a': 400 Bucket is a requester pays bucket but no user project provided."
    )


def test_a_server_that_cannot_be_reached_is_named(gcs_front: Front, tmp_path: Path) -> None:
    gcs_front.address = "http://127.0.0.1:1"

    message = message_of(gcs_front.open("gs://matches", 0.2), "stat", tmp_path)

    assert message.startswith("Bucket gs://matches could not be reached to read 'a' for 0 s (")
    assert "Connection refused" in message
    assert message.endswith("check the network, and STORAGE_EMULATOR_HOST if you use a local server.")


@pytest.fixture
def no_emulator(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """An environment without credentials, that asks no metadata server for them."""
    for variable in ("STORAGE_EMULATOR_HOST", "GOOGLE_APPLICATION_CREDENTIALS"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path / "none"))
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    gcs._default_client.cache_clear()
    return monkeypatch


def test_credentials_that_are_missing_are_asked_for(no_emulator: pytest.MonkeyPatch) -> None:
    with pytest.raises(
        BucketError, match="no Google Cloud credentials for bucket gs://matches .*gcloud auth"
    ):
        open_bucket("gs://matches")


def test_a_key_file_that_is_not_there_is_named(no_emulator: pytest.MonkeyPatch) -> None:
    no_emulator.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere/key.json")

    with pytest.raises(BucketError, match="File /nowhere/key.json was not found"):
        open_bucket("gs://matches")


class RevokedTokens(BaseHTTPRequestHandler):
    """A token endpoint that knows the account no more."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        body = json.dumps(
            {"error": "invalid_grant", "error_description": "Token has been expired or revoked."}
        ).encode()
        self.send_response(400)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:
        pass


def test_credentials_that_have_expired_are_asked_for_anew(
    no_emulator: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    with HTTPServer(("127.0.0.1", 0), RevokedTokens) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        account = {
            "type": "service_account",
            "client_email": "robot@project.iam.gserviceaccount.com",
            "token_uri": f"http://127.0.0.1:{server.server_address[1]}/token",
            "private_key": key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            ).decode(),
        }
        (tmp_path / "key.json").write_text(json.dumps(account))
        no_emulator.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "key.json"))
        bucket = open_bucket("gs://matches/part")

        with pytest.raises(BucketError) as caught:
            bucket.stat("a")
        server.shutdown()

    message = str(caught.value)
    assert message.startswith(
        "The Google Cloud credentials for bucket gs://matches/part have expired or were"
    )
    assert "Token has been expired or revoked" in message
    assert "`gcloud auth application-default login`" in message


def test_a_service_that_asks_an_anonymous_client_for_credentials_leads_to_advice(
    bucket: GcsBucket, gcs_front: Front, tmp_path: Path
) -> None:
    gcs_front.fail("GET", "/", refuse(401, "Invalid Credentials"))

    message = message_of(bucket, "stat", tmp_path)

    assert message.startswith(f"There are no Google Cloud credentials for bucket {bucket.url} (")
    assert "`gcloud auth application-default login`" in message


@pytest.mark.parametrize(
    "url", ["gs://", "gs:///a", "gs://A_b/c", "gs://ab", "gs://bucket name", "gs://-bucket"]
)
def test_a_url_without_a_bucket_is_refused(url: str) -> None:
    with pytest.raises(BucketError, match="names no bucket: set FOOTBALL_BUCKET to gs://bucket"):
        open_bucket(url)


@pytest.mark.parametrize("url", ["gs://matches/a//b", "gs://matches/../b", "gs://matches/a/./b"])
def test_a_prefix_with_two_spellings_is_refused(gcs_server: GcsServer, url: str) -> None:
    with pytest.raises(BucketError, match="is not allowed"):
        open_bucket(url)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("gs://matches", "gs://matches"),
        ("gs://matches/", "gs://matches"),
        ("gs://matches/a/b//", "gs://matches/a/b"),
    ],
)
def test_a_url_is_shown_without_a_slash_at_its_end(gcs_server: GcsServer, url: str, expected: str) -> None:
    assert open_bucket(url).url == expected
