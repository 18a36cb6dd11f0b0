"""Checkpoints of a training on several workers, written to the bucket and read by Ray Train."""

import hashlib
import json
import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from football_assets.storage.bucket import GCS_SCHEME
from football_assets.storage.model_files import TRAINING_CHECKPOINTS
from football_assets.training.checkpoints import TrainingCheckpoint, load_random_state, save_random_state

if TYPE_CHECKING:
    from pyarrow.fs import FileSystem

_EMULATOR = "STORAGE_EMULATOR_HOST"
_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class CheckpointStorage:
    """The folder of the bucket that holds the checkpoints of one training until it has ended.

    Attributes
    ----------
    bucket
        Folder of the bucket, or gs://bucket/prefix.
    name
        Identifies the training. A training with the same name, which must have the same inputs, resumes from the
        checkpoints of an earlier one that did not end.
    """

    bucket: str
    name: str

    @classmethod
    def of_inputs(cls, bucket: str, inputs: Mapping[str, Any]) -> "CheckpointStorage":
        """Return the storage of a training, named by a digest of its inputs (JSON values) and of Ray's version."""
        text = json.dumps([inputs, version("ray")], sort_keys=True).encode()
        return cls(bucket, hashlib.blake2b(text, digest_size=12).hexdigest())

    @property
    def is_remote(self) -> bool:
        """Return whether every machine can reach the bucket."""
        return self.bucket.startswith(GCS_SCHEME)

    @property
    def path(self) -> str:
        """Folder of the checkpoints of all trainings, without the scheme of a URL."""
        return f"{self.bucket.removeprefix(GCS_SCHEME).rstrip('/')}/{TRAINING_CHECKPOINTS}"

    def filesystem(self) -> "FileSystem":
        """Open the filesystem of the bucket.

        Google Cloud Storage is opened with the application default credentials, or as the server of
        STORAGE_EMULATOR_HOST if that is set.
        """
        from pyarrow.fs import GcsFileSystem, LocalFileSystem

        if not self.is_remote:
            return LocalFileSystem()
        emulator = os.environ.get(_EMULATOR)
        if not emulator:
            return GcsFileSystem()
        scheme, _, host = emulator.rpartition("://")
        return GcsFileSystem(anonymous=True, scheme=scheme or "http", endpoint_override=host)

    def remove(self) -> None:
        """Remove the checkpoints of this training, if there are any; log what cannot be removed.

        Ray's list of the checkpoints is removed first. Without the list, a later training with the same name starts
        from the beginning. With a list that names a removed checkpoint it would fail.
        """
        from pyarrow.fs import FileSelector, FileType

        filesystem, folder = self.filesystem(), f"{self.path}/{self.name}"
        try:
            found = filesystem.get_file_info(FileSelector(folder, allow_not_found=True, recursive=True))
            files = [entry.path for entry in found if entry.type == FileType.File]
            for path in sorted(files, key=lambda path: (path.count("/"), path)):
                filesystem.delete_file(path)
            # An object store may have no folders.
            if filesystem.get_file_info(folder).type != FileType.NotFound:
                filesystem.delete_dir(folder)
        except OSError as error:
            _logger.warning("Checkpoints below %s were not all removed: %s", folder, error)


class RayCheckpoints:
    """The checkpoints of the training that this worker of Ray Train takes part in.

    The first worker writes the state, and every worker its random numbers; Ray Train stores them as one checkpoint.
    """

    def __init__(self, rank: int) -> None:
        self._rank = rank

    def latest(self) -> TrainingCheckpoint | None:
        """Load the state of the last checkpoint; None: there is none."""
        from ray import train

        checkpoint = train.get_checkpoint()
        if checkpoint is None:
            return None
        with checkpoint.as_directory() as folder:
            return TrainingCheckpoint.load(Path(folder))

    def restore_random_state(self) -> None:
        """Restore this worker's random numbers from the last checkpoint."""
        from ray import train

        with train.get_checkpoint().as_directory() as folder:
            load_random_state(Path(folder), self._rank)

    def store(self, state: Callable[[], TrainingCheckpoint]) -> None:
        """Store this worker's part of a checkpoint, which exists once all workers have stored theirs."""
        from ray import train

        folder = Path(tempfile.mkdtemp(prefix="football-checkpoint-"))
        try:
            if self._rank == 0:
                state().save(folder)
            save_random_state(folder, self._rank)
            train.report({}, checkpoint=train.Checkpoint.from_directory(folder))
        finally:
            shutil.rmtree(folder)
