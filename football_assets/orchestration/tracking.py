"""Weights & Biases through dagster-wandb: figures, pictures and models of a step; off unless the environment asks.

Each step of a training has a W&B run of its own, in the group of the Dagster run that trained: runs that are kept on
disk then reach the server in any order. Nothing here can fail a step: what W&B refuses is a warning.
"""

import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from football_assets.settings import Settings
from football_assets.storage.model_files import TRAINING

MODEL_ARTIFACT = "football-forecaster"
INIT_SECONDS = 30
FINISH_SECONDS = 120
_CLOUD = "https://api.wandb.ai"

Warn = Callable[[str], None]


class Tracking:
    """A W&B run, or nothing when tracking is off: then every call does nothing. After a failure, too."""

    def __init__(self, run: Any, warn: Warn) -> None:
        self._run, self._warn, self._works = run, warn, run is not None

    @property
    def where(self) -> str:
        """URL of the run, the folder of one that is kept on disk, or `off`."""
        if self._run is None:
            return "off"
        return str(Path(self._run.dir).parent if self._run.offline else self._run.url)

    def log(self, figures: Mapping[str, float]) -> None:
        """One point of every curve, as after an epoch."""
        self._attempt("figures", lambda run: run.log(dict(figures)))

    def conclude(self, figures: Mapping[str, Any]) -> None:
        """Final figures, shown in the table of runs."""
        self._attempt("final figures", lambda run: run.summary.update(dict(figures)))

    def picture(self, name: str, png: Path) -> None:
        """A plot."""

        def log(run: Any) -> None:
            import wandb

            run.log({name: wandb.Image(str(png))})

        self._attempt("a picture", log)

    def model(self, folder: Path, aliases: list[str], metadata: Mapping[str, Any]) -> None:
        """A model bundle, as a version of the artifact `football-forecaster`. The files are sent as they are."""

        def log(run: Any) -> None:
            import wandb

            artifact = wandb.Artifact(MODEL_ARTIFACT, type="model", metadata=dict(metadata))
            artifact.add_dir(str(folder))
            run.log_artifact(artifact, aliases=aliases)
            if not run.offline:
                artifact.wait(timeout=FINISH_SECONDS)

        self._attempt("the model", log)

    def finish(self) -> None:
        """End the run; what has not reached the server by then stays on disk."""
        if self._run is None:
            return
        try:
            self._run.finish()
        except Exception as error:
            folder = Path(self._run.dir).parent
            self._warn(f"W&B has not everything: {_line(error)} `wandb sync {folder}` uploads the rest.")

    def _attempt(self, what: str, action: Callable[[Any], None]) -> None:
        if not self._works:
            return
        try:
            action(self._run)
        except Exception as error:  # W&B raises whatever its server, its process or the disk gave it
            self._works = False
            self._warn(f"W&B did not take {what}, and is left alone from here on: {_line(error)}")


def is_tracking_on(settings: Settings) -> bool:
    """Whether FOOTBALL_WANDB_PROJECT names a project and there is a key, or the mode is offline."""
    if not settings.wandb_project or os.environ.get("WANDB_MODE") == "disabled":
        return False
    return _is_offline() or bool(os.environ.get("WANDB_API_KEY"))


@contextmanager
def track(
    settings: Settings,
    asset: str,
    run_id: str,
    config: Mapping[str, Any],
    warn: Warn,
    training_run: str | None = None,
) -> Iterator[Tracking]:
    """A W&B run for the materialisation of an asset.

    Offline, and where the server refuses, the run is kept under <home>/scratch/wandb, for `wandb sync`.

    Parameters
    ----------
    asset, run_id
        Key of the asset and Dagster run, which the W&B run's configuration names.
    config
        What else its configuration holds.
    warn
        Takes what went wrong with W&B.
    training_run
        Dagster run that trained the model; None: this one. It is the group of the W&B run.
    """
    if not is_tracking_on(settings):
        yield Tracking(None, warn)
        return
    folder = settings.scratch / "wandb"
    folder.mkdir(parents=True, exist_ok=True)
    with _environment(WANDB_DATA_DIR=str(folder)):  # else copies of models are left in the user's home
        run = _start(
            warn,
            project=settings.wandb_project,
            entity=settings.wandb_entity,
            dir=str(folder),
            id=f"{run_id}-{asset}",
            name=f"{asset} {run_id[:8]}",
            group=training_run or run_id,
            job_type=asset,
            tags=["dagster"],
            notes=f"Dagster run {run_id}",
            config={"dagster": {"run_id": run_id, "asset_key": asset}, **config},
        )
        tracking = Tracking(run, warn)
        try:
            yield tracking
        finally:
            tracking.finish()


def training_run(trained_lstm: Path) -> str | None:
    """The Dagster run that trained the network of a folder."""
    run: str | None = json.loads((trained_lstm / TRAINING).read_text(encoding="utf-8")).get("run_id")
    return run


def _start(warn: Warn, **arguments: Any) -> Any:
    """A W&B run: with the server if it can be, else on disk, else None."""
    import wandb

    quiet = {"silent": True, "console": "off", "finish_timeout_raises": True}
    bounds = {"init_timeout": INIT_SECONDS, "finish_timeout": FINISH_SECONDS}
    if not _is_offline():
        try:
            _log_in()
            return wandb.init(**arguments, resume="allow", settings=wandb.Settings(**quiet, **bounds))
        except Exception as error:
            warn(
                f"W&B is not reached or refuses ({_line(error)}): this run is kept on disk for `wandb sync`."
            )
    try:
        return wandb.init(**arguments, mode="offline", settings=wandb.Settings(**quiet))
    except Exception as error:
        warn(f"W&B does not work, nothing is tracked: {_line(error)}")
        return None


def _log_in() -> None:
    """Check the key by dagster-wandb's resource; what wandb notes of it in the user's home goes to a passing folder."""
    from dagster import build_init_resource_context
    from dagster_wandb import wandb_resource

    given = {"api_key": os.environ["WANDB_API_KEY"], "host": os.environ.get("WANDB_BASE_URL", _CLOUD)}
    with (
        tempfile.TemporaryDirectory() as folder,
        _environment(NETRC=str(Path(folder) / "netrc"), WANDB_CONFIG_DIR=folder),
    ):
        wandb_resource(build_init_resource_context(config=given))


@contextmanager
def _environment(**variables: str) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ |= variables
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _is_offline() -> bool:
    return os.environ.get("WANDB_MODE") == "offline"


def _line(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text if text.endswith(".") else f"{text}."
