"""The bucket resource: it opens what its URL names, and its scratch folders are fresh."""

from pathlib import Path

from football_assets.resources import BucketResource


def test_the_resource_opens_the_bucket_of_its_url(tmp_path: Path) -> None:
    resource = BucketResource(url=str(tmp_path / "bucket"), scratch=str(tmp_path / "scratch"))

    resource.open().write("a", b"1")

    assert (tmp_path / "bucket" / "a").read_bytes() == b"1"


def test_every_scratch_folder_is_new_empty_and_named_for_its_purpose(tmp_path: Path) -> None:
    resource = BucketResource(url=str(tmp_path / "bucket"), scratch=str(tmp_path / "deep" / "scratch"))

    first, second = resource.scratch_folder("tensors"), resource.scratch_folder("tensors")

    assert first != second
    assert {first.parent, second.parent} == {tmp_path / "deep" / "scratch"}
    assert first.name.startswith("tensors-")
    assert list(first.iterdir()) == []
