"""Checkpoints of an unfinished training: its whole state after an epoch, from which it resumes with the same result.

Tensors are stored as safetensors, everything else as JSON: loading a checkpoint executes no code.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

_TENSORS, _RECORD = "state.safetensors", "state.json"
_CPU, _CUDA = "cpu", "cuda"


@dataclass(frozen=True)
class TrainingCheckpoint:
    """The state that all workers share after an epoch.

    Attributes
    ----------
    tensors
        Weights, averaged weights, best weights and the optimiser's moments, by name.
    record
        Epochs, schedule and generators of random numbers; JSON.
    """

    tensors: dict[str, Tensor]
    record: dict[str, Any]

    def part(self, name: str) -> dict[str, Tensor]:
        """Return the tensors below a name, without it."""
        prefix = f"{name}."
        return {
            key.removeprefix(prefix): value for key, value in self.tensors.items() if key.startswith(prefix)
        }

    def save(self, folder: Path) -> None:
        """Write the state into a folder."""
        save_file(_stored(self.tensors), folder / _TENSORS)
        (folder / _RECORD).write_text(json.dumps(self.record), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> "TrainingCheckpoint":
        """Read what `save` has written."""
        return cls(load_file(folder / _TENSORS), json.loads((folder / _RECORD).read_text(encoding="utf-8")))


class Checkpoints(Protocol):
    """Where a training stores its state after each epoch. All workers must make the same calls in the same order."""

    def latest(self) -> TrainingCheckpoint | None:
        """Load the state that this training resumes from, on the CPU; None: it starts."""
        ...

    def restore_random_state(self) -> None:
        """Restore this process's random numbers as they were when the latest state was stored."""
        ...

    def store(self, state: Callable[[], TrainingCheckpoint]) -> None:
        """Store what a function returns, and this process's random numbers beside it."""
        ...


class NoCheckpoints:
    """A training that starts at the beginning and stores nothing until its end."""

    def latest(self) -> TrainingCheckpoint | None:
        """Return None."""
        return None

    def restore_random_state(self) -> None:
        """Leave the random numbers."""

    def store(self, state: Callable[[], TrainingCheckpoint]) -> None:
        """Store nothing."""


def named(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return tensors with a prefix before their names; `TrainingCheckpoint.part` reverses it."""
    return {f"{prefix}.{name}": tensor for name, tensor in tensors.items()}


def save_random_state(folder: Path, rank: int) -> None:
    """Write the state of torch's generators, which draw the masks of dropout. It differs between workers."""
    states = {_CPU: torch.get_rng_state()}
    if torch.cuda.is_available():
        states[_CUDA] = torch.cuda.get_rng_state()
    save_file(states, folder / _random_file(rank))


def load_random_state(folder: Path, rank: int) -> None:
    """Restore what `save_random_state` has written for a worker."""
    states = load_file(folder / _random_file(rank))
    torch.set_rng_state(states[_CPU])
    if torch.cuda.is_available() and _CUDA in states:
        torch.cuda.set_rng_state(states[_CUDA])


def _random_file(rank: int) -> str:
    return f"random-{rank}.safetensors"


def _stored(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return copies that share no memory, which safetensors requires."""
    return {name: tensor.detach().to("cpu", copy=True).contiguous() for name, tensor in tensors.items()}
