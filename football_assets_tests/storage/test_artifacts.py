"""Artifacts: content is stored once, the pointer is written last, and old content is removed later."""

import json
from pathlib import Path
from uuid import uuid4

import pytest
from google.cloud import storage

from football_assets.errors import BucketError, ObjectNotFound
from football_assets.storage.artifacts import KEPT, fetch, folder_digest, named_digests, publish
from football_assets.storage.bucket import Bucket
from football_assets.storage.local import LocalBucket
from football_assets.storage.opening import open_bucket


@pytest.fixture
def bucket(bucket_url: str) -> Bucket:
    return open_bucket(bucket_url)


def folder_of(root: Path, **files: str) -> Path:
    root.mkdir(parents=True)
    for name, text in files.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return root


def contents(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()
    }


def test_a_published_folder_is_fetched_whole(bucket: Bucket, tmp_path: Path) -> None:
    digest = publish(bucket, "model", folder_of(tmp_path / "new", weights="1.5", plots__loss="png"))

    found = fetch(bucket, "model", tmp_path / "scratch")

    assert found.name == digest
    assert contents(found) == {"weights": "1.5", "plots/loss": "png"}


def test_the_last_published_content_is_current_and_earlier_content_can_be_named(
    bucket: Bucket, tmp_path: Path
) -> None:
    first = publish(bucket, "model", folder_of(tmp_path / "1", weights="1"))
    publish(bucket, "model", folder_of(tmp_path / "2", weights="2"))

    assert contents(fetch(bucket, "model", tmp_path / "scratch")) == {"weights": "2"}
    assert contents(fetch(bucket, "model", tmp_path / "scratch", first)) == {"weights": "1"}


def test_the_digest_tells_names_and_contents_apart(tmp_path: Path) -> None:
    folders = [
        folder_of(tmp_path / "1", a="1", b="2"),
        folder_of(tmp_path / "2", a="12", b=""),
        folder_of(tmp_path / "3", a="1", c="2"),
        folder_of(tmp_path / "4", a="2", b="1"),
    ]

    assert len({folder_digest(folder) for folder in folders}) == len(folders)
    assert folder_digest(folder_of(tmp_path / "5", b="2", a="1")) == folder_digest(folders[0])


def test_the_same_content_published_again_is_stored_once(bucket: Bucket, tmp_path: Path) -> None:
    first = publish(bucket, "model", folder_of(tmp_path / "1", weights="1"))
    publish(bucket, "model", folder_of(tmp_path / "2", weights="2"))
    assert publish(bucket, "model", folder_of(tmp_path / "3", weights="1")) == first

    assert len(list(bucket.list("artifacts/model/"))) == 3  # two contents and the pointer
    assert contents(fetch(bucket, "model", tmp_path / "scratch")) == {"weights": "1"}


def test_only_the_latest_contents_are_kept(bucket: Bucket, tmp_path: Path) -> None:
    digests = [
        publish(bucket, "model", folder_of(tmp_path / str(n), weights=str(n))) for n in range(KEPT + 2)
    ]

    stored = {item.name.split("/")[2] for item in bucket.list("artifacts/model/")} - {"current.json"}
    assert stored == set(digests[-KEPT:])
    with pytest.raises(ObjectNotFound, match=f"no content {digests[0]}"):
        fetch(bucket, "model", tmp_path / "scratch", digests[0])


def test_a_folder_half_published_is_not_seen_and_is_completed_by_the_next_attempt(
    bucket: Bucket, tmp_path: Path
) -> None:
    publish(bucket, "model", folder_of(tmp_path / "1", weights="1"))
    new = folder_of(tmp_path / "2", spec="{}", weights="2")
    digest = folder_digest(new)
    bucket.write(f"artifacts/model/{digest}/spec", b"")  # what a crash left

    assert contents(fetch(bucket, "model", tmp_path / "scratch")) == {"weights": "1"}
    publish(bucket, "model", new)
    assert contents(fetch(bucket, "model", tmp_path / "scratch")) == {"spec": "{}", "weights": "2"}


def test_artifacts_of_different_names_do_not_meet(bucket: Bucket, tmp_path: Path) -> None:
    publish(bucket, "model", folder_of(tmp_path / "1", weights="1"))

    with pytest.raises(ObjectNotFound, match="materialize the asset 'mode' first"):
        fetch(bucket, "mode", tmp_path / "scratch")


def test_the_pointer_says_what_is_current_and_what_is_recent(bucket: Bucket, tmp_path: Path) -> None:
    digests = [publish(bucket, "m", folder_of(tmp_path / str(n), weights=str(n))) for n in range(2)]

    pointer = json.loads(bucket.read("artifacts/m/current.json"))

    assert pointer == {"current": digests[1], "recent": [digests[1], digests[0]]}


@pytest.mark.parametrize(
    "digest",
    [
        "../../../elsewhere",
        "..",
        "",
        "/elsewhere",
        "gs://other/x",
        "a\\b",
        "C:\\x",
        "a\0b",
        "0" * 23,
        "G" * 24,
        7,
    ],
)
def test_a_pointer_cannot_name_a_content_elsewhere(bucket: Bucket, tmp_path: Path, digest: object) -> None:
    publish(bucket, "model", folder_of(tmp_path / "1", weights="1"))
    bucket.write("artifacts/model/current.json", json.dumps({"current": digest, "recent": [digest]}).encode())
    bucket.write("elsewhere/weights", b"2")

    for use in (
        lambda: fetch(bucket, "model", tmp_path / "scratch"),
        lambda: named_digests(bucket, "model"),
        lambda: publish(bucket, "model", folder_of(tmp_path / str(uuid4()), weights="3")),
    ):
        with pytest.raises(BucketError, match="not a content digest|is corrupt"):
            use()
    assert not (tmp_path / "scratch").exists()
    with pytest.raises(BucketError, match="not a content digest"):
        fetch(bucket, "model", tmp_path / "scratch", str(digest))


@pytest.mark.parametrize("pointer", [b"", b"[]", b"{}", b'{"recent": 7}', b"[" * 100_000], ids=range(5))
def test_a_corrupt_pointer_is_named(bucket: Bucket, tmp_path: Path, pointer: bytes) -> None:
    bucket.write("artifacts/model/current.json", pointer)
    named = (
        r"pointer under artifacts/ is corrupt .*: delete artifacts/model/current.json and materialize 'model'"
    )

    with pytest.raises(BucketError, match=named):
        fetch(bucket, "model", tmp_path / "scratch")
    with pytest.raises(BucketError, match=named):
        publish(bucket, "model", folder_of(tmp_path / "1", weights="1"))
    bucket.delete("artifacts/model/current.json")
    digest = publish(bucket, "model", folder_of(tmp_path / "2", weights="1"))
    assert fetch(bucket, "model", tmp_path / "scratch").name == digest


@pytest.mark.parametrize("link", ["current.json", "content", "content/weights", "content/plots"])
def test_a_symbolic_link_in_a_local_artifact_is_rejected(tmp_path: Path, link: str) -> None:
    bucket = LocalBucket(tmp_path / "bucket")
    digest = publish(bucket, "model", folder_of(tmp_path / "1", weights="1", plots__loss="png"))
    path = tmp_path / "bucket/artifacts/model" / link.replace("content", digest)
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")

    with pytest.raises(BucketError, match=f"{path} is a symbolic link, which is not followed here"):
        fetch(bucket, "model", tmp_path / "scratch")


def test_an_object_that_leaves_the_folder_of_its_artifact_is_not_downloaded(
    gcs_url: str, tmp_path: Path
) -> None:
    """Google Cloud Storage allows names with `..` parts."""
    bucket = open_bucket(gcs_url)
    digest = publish(bucket, "model", folder_of(tmp_path / "1", weights="1"))
    container, _, prefix = gcs_url.removeprefix("gs://").partition("/")
    name = f"{prefix}/artifacts/model/{digest}/../../../../escaped"
    storage.Client.create_anonymous_client().bucket(container).blob(name).upload_from_string(b"x")

    found = fetch(bucket, "model", tmp_path / "scratch")

    assert contents(found) == {"weights": "1"}
    assert [path.name for path in tmp_path.rglob("escaped")] == []
