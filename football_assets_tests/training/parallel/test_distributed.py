"""Several workers of Ray Train: the same loss curve as one worker, and a clear error when one of them dies."""

import pickle
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import psutil
import pytest

from football_assets.errors import FootballError
from football_assets.sequences.tensors import ARRAYS, SequenceTensors
from football_assets.storage.opening import open_bucket
from football_assets.training.config import NetworkConfig, SplitConfig, TrainingConfig
from football_assets.training.fit import Epoch, Fit, fit_forecaster
from football_assets.training.parallel import worker_inputs
from football_assets.training.parallel.checkpoint_storage import CheckpointStorage
from football_assets.training.parallel.distributed import explained, fit_on_workers
from football_assets.training.parallel.ray_cluster import ray_cluster
from football_assets.training.parallel.worker_inputs import inputs_for_workers, mapped_file
from football_assets.training.parallel.worker_shards import (
    CopiedShard,
    MappedShard,
    divide_matches,
    put_shards,
)
from football_assets.training.passes import matches_per_step
from football_assets.training.split import TimeSplit, split_by_time
from football_assets_tests.builders.fits import Fitted
from football_assets_tests.builders.planted import SMALL
from football_assets_tests.builders.priced import PRICED, priced_tensors

WITHOUT_DROPOUT = TrainingConfig(
    network=NetworkConfig(hidden=8, trunk=8, dropout=0),
    split=SplitConfig(test_share=0.25),
    epochs=4,
    batch_size=107,
    learning_rate=1e-2,
    averaging=0.9,
)


@pytest.fixture(scope="module", autouse=True)
def _ray() -> Iterator[None]:
    """One cluster for all tests: each training joins the one that runs."""
    with ray_cluster(least_cpus=2):
        yield


@pytest.fixture(scope="module")
def split(tensors: SequenceTensors) -> TimeSplit:
    return split_by_time(tensors, WITHOUT_DROPOUT.split)


def two_workers(config: TrainingConfig) -> TrainingConfig:
    return config.model_copy(update={"workers": 2})


def curve(fit: Fit) -> list[tuple[float, float, float]]:
    return [(e.train_log_loss, e.validation_log_loss, e.validation_goals_loss) for e in fit.epochs]


def descendants() -> list[psutil.Process]:
    return psutil.Process().children(recursive=True)


def test_two_workers_learn_what_one_learns(tensors: SequenceTensors, split: TimeSplit) -> None:
    """Without dropout, whose masks differ. The last batch is smaller, and one worker has more of it than the other."""
    assert len(split.train) % WITHOUT_DROPOUT.batch_size == 5
    seen: list[Epoch] = []
    beyond_loopback: set[str] = set()

    def watch(epoch: Epoch) -> None:
        seen.append(epoch)
        for process in descendants():
            for connection in process.net_connections("inet"):
                if connection.status == psutil.CONN_LISTEN:
                    beyond_loopback.add(connection.laddr.ip.removeprefix("::ffff:"))

    together = fit_on_workers(tensors, split, two_workers(WITHOUT_DROPOUT), watch)
    alone = fit_forecaster(tensors, split, WITHOUT_DROPOUT)

    assert together.best_epoch == alone.best_epoch
    for ours, theirs in zip(curve(together), curve(alone), strict=True):
        assert ours == pytest.approx(theirs, abs=2e-6)
    ours, theirs = together.network.state_dict(), alone.network.state_dict()
    for name, tensor in ours.items():
        assert tensor.numpy() == pytest.approx(theirs[name].numpy(), rel=1e-3, abs=1e-4), name
    assert seen == together.epochs  # as they came, in the process that asked
    assert beyond_loopback == {"127.0.0.1"}


def test_two_workers_hide_the_same_odds_and_learn_from_the_same_soft_labels() -> None:
    """Each with a copy of its own matches, since the tensors are in memory; with a refit, on validation too."""
    tensors = priced_tensors()
    split = split_by_time(tensors, PRICED.split)
    config = WITHOUT_DROPOUT.model_copy(update={"epochs": 2, "hidden_odds": 0.4, "refit": True})

    together = fit_on_workers(tensors, split, two_workers(config))
    alone = fit_forecaster(tensors, split, config)

    for ours, theirs in zip(curve(together), curve(alone), strict=True):
        assert ours == pytest.approx(theirs, abs=1e-5)
    assert together.network.blend is not None
    assert alone.network.blend is not None
    assert together.network.blend.weight.item() == pytest.approx(alone.network.blend.weight.item(), abs=1e-3)
    assert together.network.blend.weight.item() > 0
    ours, theirs = together.network.state_dict(), alone.network.state_dict()
    for name, tensor in ours.items():
        assert tensor.numpy() == pytest.approx(theirs[name].numpy(), rel=1e-3, abs=1e-3), name


def test_a_batch_may_have_no_match_of_a_worker(planted: Fitted) -> None:
    """The last batch of an epoch has one match."""
    config = WITHOUT_DROPOUT.model_copy(update={"epochs": 1})
    split = replace(planted.split, train=planted.split.train[:129], validation=planted.split.validation[:50])
    assert matches_per_step(config, 129) == 64  # two full batches, and one match more

    together = fit_on_workers(planted.tensors, split, two_workers(config))
    alone = fit_forecaster(planted.tensors, split, config)

    assert curve(together)[0] == pytest.approx(curve(alone)[0], abs=1e-5)


def test_shards_are_put_one_by_one_and_mapped_files_are_named(
    tensors: SequenceTensors, split: TimeSplit
) -> None:
    """The tensors of the fixture map their files."""
    import ray

    named = ray.get(put_shards(tensors, split, 3))
    whole = np.asarray(tensors.context)
    copied = ray.get(put_shards(replace(tensors, context=np.array(whole)), split, 3))

    expected = divide_matches(tensors, split, 3)
    for mapped, copy, rows in zip(named, copied, expected, strict=True):
        assert isinstance(mapped, MappedShard)
        assert isinstance(copy, CopiedShard)
        assert mapped.rows.tolist() == copy.rows.tolist() == rows.tolist()
        np.testing.assert_array_equal(copy.shard.tensors.context, whole[rows])


def test_workers_on_this_machine_map_the_files_that_the_tensors_map(planted: Fitted, tmp_path: Path) -> None:
    np.save(tmp_path / "context.npy", planted.tensors.context)
    mapped = np.load(tmp_path / "context.npy", mmap_mode="r")
    tensors = replace(planted.tensors, context=mapped, goals=np.array(planted.tensors.goals))

    given = inputs_for_workers(tensors)

    assert given.arrays["context"] == tmp_path / "context.npy"
    assert mapped_file(mapped[1:]) is None  # the file holds more
    arrived = pickle.loads(pickle.dumps(given)).tensors()  # as Ray does
    assert isinstance(arrived.context, np.memmap)
    for name in ARRAYS:
        assert np.array_equal(getattr(arrived, name), getattr(tensors, name), equal_nan=True)
    assert arrived.spec == tensors.spec


def test_workers_of_a_cluster_that_an_autoscaler_may_extend_get_arrays(
    tensors: SequenceTensors, split: TimeSplit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The machine that the autoscaler adds for a worker does not have this machine's files."""
    import ray

    monkeypatch.setattr(worker_inputs, "autoscaled_resources", lambda: {"CPU": 64.0})

    assert not any(isinstance(array, Path) for array in inputs_for_workers(tensors).arrays.values())
    assert all(isinstance(shard, CopiedShard) for shard in ray.get(put_shards(tensors, split, 2)))


def is_worker(process: psutil.Process) -> bool:
    try:
        return "RayTrainWorker" in " ".join(process.cmdline())
    except psutil.Error:  # it has ended since it was listed
        return False


@dataclass
class Killer:
    """Kills a worker once Ray knows a checkpoint, as the loss of its machine does, and notes the epochs."""

    bucket: str
    killed: int = 0
    seen: list[Epoch] = field(default_factory=list)

    def __call__(self, epoch: Epoch) -> None:
        self.seen.append(epoch)
        if not self.killed and any("snapshot" in item.name for item in open_bucket(self.bucket).list()):
            worker = [process for process in descendants() if is_worker(process)][-1]
            worker.kill()
            self.killed = worker.pid


def without_seconds(epochs: list[Epoch]) -> list[dict[str, float]]:
    return [{**epoch.as_dict(), "seconds": 0} for epoch in epochs]


# With dropout, whose masks each worker draws for itself, and epochs enough for the kill to come in between.
LONG = SMALL.model_copy(update={"epochs": 20, "patience": 20, "workers": 2})


@pytest.fixture(scope="module")
def whole(planted: Fitted) -> Fit:
    """A training of two workers without interruption."""
    return fit_on_workers(planted.tensors, planted.split, LONG)


def assert_same(resumed: Fit, whole: Fit) -> None:
    assert without_seconds(resumed.epochs) == without_seconds(whole.epochs)
    expected = whole.network.state_dict()
    for name, tensor in resumed.network.state_dict().items():
        assert tensor.numpy() == pytest.approx(expected[name].numpy(), rel=1e-6, abs=1e-7), name


def test_a_training_whose_worker_is_killed_ends_as_one_without_interruption(
    planted: Fitted, whole: Fit, gcs_url: str
) -> None:
    storage = CheckpointStorage(gcs_url, "of-the-test")
    killer = Killer(gcs_url)

    resumed = fit_on_workers(planted.tensors, planted.split, LONG, killer, storage)

    assert killer.killed
    assert without_seconds(killer.seen) == without_seconds(resumed.epochs)  # each once
    assert resumed.epochs[0] == killer.seen[0]  # to the time it took: it was not trained again
    assert_same(resumed, whole)
    assert list(open_bucket(gcs_url).list()) == []  # the checkpoints are removed at the end


def test_a_worker_that_is_killed_too_often_ends_the_training_and_the_next_one_resumes(
    planted: Fitted, whole: Fit, tmp_path: Path
) -> None:
    config = LONG.model_copy(update={"max_failures": 0})
    storage = CheckpointStorage(str(tmp_path), "of-the-test")
    killer = Killer(str(tmp_path))
    with pytest.raises(FootballError, match="^Worker [01] of the training died: .* to resume from the last"):
        fit_on_workers(planted.tensors, planted.split, config, killer, storage)
    assert killer.killed
    assert not [path for path in tmp_path.rglob("*") if "pkl" in path.name or "pickle" in path.name]

    seen: list[Epoch] = []
    resumed = fit_on_workers(planted.tensors, planted.split, config, seen.append, storage)

    assert_same(resumed, whole)
    assert seen == resumed.epochs
    assert seen[0] == killer.seen[0]  # to the time that it took: it was not trained again


def test_an_error_that_another_try_would_repeat_ends_the_training_at_once(planted: Fitted) -> None:
    diverging = two_workers(SMALL.model_copy(update={"learning_rate": 1e38, "epochs": 2}))

    with pytest.raises(FootballError, match="Training diverged: .* Lower learning_rate"):
        fit_on_workers(planted.tensors, planted.split, diverging)


def test_more_gpus_than_there_are_is_refused_at_once(planted: Fitted) -> None:
    greedy = SMALL.model_copy(update={"workers": 400, "gpus_per_worker": 1.0})

    with pytest.raises(FootballError, match="400 workers with 1 of a GPU each need 400 GPUs, and Ray has"):
        fit_on_workers(planted.tensors, planted.split, greedy)


def test_what_a_worker_says_is_what_a_person_reads() -> None:
    from ray.exceptions import ActorDiedError
    from ray.train import WorkerGroupError

    ours = FootballError("Training diverged: lower learning_rate.")
    peer = RuntimeError("Connection reset by peer.\nCheck the logs.")

    assert explained(WorkerGroupError("", {0: peer, 1: ours})) is ours
    assert str(explained(WorkerGroupError("", {0: peer, 3: ActorDiedError()}))).startswith("Worker 3 of")
    assert str(explained(WorkerGroupError("", {0: peer}))).endswith("failed: Connection reset by peer.")
