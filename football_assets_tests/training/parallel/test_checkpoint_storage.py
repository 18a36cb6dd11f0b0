"""Where checkpoints lie: below the bucket, by the digest of the inputs, and gone when the training has ended."""

from pathlib import Path

import pytest
from pyarrow.fs import FileInfo, FileSelector, FileSystem

from football_assets.storage.opening import open_bucket
from football_assets.training.parallel.checkpoint_storage import CheckpointStorage


def test_the_same_inputs_have_the_same_name_and_others_another() -> None:
    inputs = {"config": {"seed": 7, "epochs": 3}, "tensors": "abc"}
    reordered = {"tensors": "abc", "config": {"epochs": 3, "seed": 7}}

    first, same = (CheckpointStorage.of_inputs("/bucket", given) for given in (inputs, reordered))
    other = CheckpointStorage.of_inputs("/bucket", inputs | {"config": {"seed": 8, "epochs": 3}})

    assert first == same
    assert other.name != first.name


def test_a_bucket_of_google_is_remote_and_its_path_has_no_scheme() -> None:
    assert CheckpointStorage("gs://bucket/prefix/", "x").path == "bucket/prefix/training_checkpoints"
    assert CheckpointStorage("gs://bucket", "x").is_remote
    assert not CheckpointStorage("/shared/bucket", "x").is_remote
    assert CheckpointStorage("/shared/bucket", "x").path == "/shared/bucket/training_checkpoints"


def test_removing_one_training_leaves_the_others_and_what_is_not_there_is_no_error(bucket_url: str) -> None:
    ours, theirs = (CheckpointStorage(bucket_url, name) for name in ("ours", "theirs"))
    for storage in (ours, theirs):
        filesystem, folder = storage.filesystem(), Path(storage.path) / storage.name / "checkpoint_1"
        filesystem.create_dir(str(folder))
        with filesystem.open_output_stream(str(folder / "state.json")) as stream:
            stream.write(b"{}")

    ours.remove()
    ours.remove()

    names = [item.name for item in open_bucket(bucket_url).list()]
    assert names == ["training_checkpoints/theirs/checkpoint_1/state.json"]


class Failing:
    """A filesystem that fails from the second removal on, and keeps what was removed before."""

    def __init__(self, inner: FileSystem) -> None:
        self.removed: list[str] = []
        self._inner = inner

    def get_file_info(self, what: FileSelector | str) -> FileInfo | list[FileInfo]:
        return self._inner.get_file_info(what)

    def delete_file(self, path: str) -> None:
        if self.removed:
            raise OSError("the bucket is out of reach")
        self.removed.append(path)
        self._inner.delete_file(path)


def test_a_removal_that_is_interrupted_leaves_no_list_of_checkpoints_and_is_logged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    storage = CheckpointStorage(str(tmp_path), "training")
    for name in ("checkpoint_1/state.json", "checkpoint_manager_snapshot.json"):
        path = Path(storage.path, "training", name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}")
    failing = Failing(storage.filesystem())
    monkeypatch.setattr(CheckpointStorage, "filesystem", lambda _: failing)

    storage.remove()

    assert [Path(path).name for path in failing.removed] == ["checkpoint_manager_snapshot.json"]
    assert "not all removed: the bucket is out of reach" in caplog.text
