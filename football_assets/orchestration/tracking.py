"""Experiment tracking with Weights & Biases through dagster-wandb. Off unless the environment configures it.

Each step logs to a W&B run of its own, in the group of the Dagster run that trained the model, so that runs kept on
disk can be synced in any order. Tracking cannot fail a step: errors of W&B are warnings.
"""

import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from football_assets.runtime.environment import environment
from football_assets.settings import Settings
from football_assets.storage.model_files import TRAINING

MODEL_ARTIFACT = "football-forecaster"
INIT_SECONDS = 30
FINISH_SECONDS = 120
_CLOUD = "https://api.wandb.ai"

Warn = Callable[[str], None]


class Tracking:
    """A W&B run. Every call is a no-op when tracking is off, and after the first failure.

    Parameters
    ----------
    run
        The `wandb.Run`; None: tracking is off.
    warn
        Receives a message about each failure.
    """

    def __init__(self, run: Any, warn: Warn) -> None:
        self._run, self._warn, self._works = run, warn, run is not None

    @property
    def where(self) -> str:
        """Return the URL of the run, the folder of an offline run, or `off`."""
        if self._run is None:
            return "off"
        return str(Path(self._run.dir).parent if self._run.offline else self._run.url)

    def log(self, figures: Mapping[str, float]) -> None:
        """Log one point of each curve, as after an epoch."""
        self._attempt("figures", lambda run: run.log(dict(figures)))

    def conclude(self, figures: Mapping[str, Any]) -> None:
        """Log final figures to the run's summary, which W&B shows in its table of runs."""
        self._attempt("final figures", lambda run: run.summary.update(dict(figures)))

    def picture(self, name: str, png: Path) -> None:
        """Log a plot."""

        def log(run: Any) -> None:
            import wandb

            run.log({name: wandb.Image(str(png))})

        self._attempt("a picture", log)

    def model(self, folder: Path, aliases: list[str], metadata: Mapping[str, Any]) -> None:
        """Log a model bundle as a version of the artifact `football-forecaster`, its files unchanged."""

        def log(run: Any) -> None:
            import wandb

            artifact = wandb.Artifact(MODEL_ARTIFACT, type="model", metadata=dict(metadata))
            artifact.add_dir(str(folder))
            run.log_artifact(artifact, aliases=aliases)
            if not run.offline:
                artifact.wait(timeout=FINISH_SECONDS)

        self._attempt("the model", log)

    def finish(self) -> None:
        """End the run; data that is not uploaded by then stays on disk."""
        if self._run is None:
            return
        try:
            self._run.finish()
        except Exception as error:
            folder = Path(self._run.dir).parent
            self._warn(f"W&B is incomplete: {_line(error)} `wandb sync {folder}` uploads the rest.")

    def _attempt(self, what: str, action: Callable[[Any], None]) -> None:
        if not self._works:
            return
        try:
            action(self._run)
        except Exception as error:  # W&B raises errors of its server, its process and the disk
            self._works = False
            self._warn(f"W&B failed to log {what}, and nothing more is logged in this run: {_line(error)}")


def is_tracking_on(settings: Settings) -> bool:
    """Tell whether FOOTBALL_WANDB_PROJECT names a project, and WANDB_API_KEY is set or WANDB_MODE is offline."""
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
    """Open a W&B run for the materialization of an asset while the block runs.

    Offline, and if the server cannot be used, the run is kept under <home>/scratch/wandb, for `wandb sync`.

    Parameters
    ----------
    asset, run_id
        Asset key and Dagster run ID, stored in the W&B run's config.
    config
        Further entries of the W&B run's config.
    warn
        Receives a message about each failure of W&B.
    training_run
        ID of the Dagster run that trained the model, which is the group of the W&B run. None: `run_id`.
    """
    if not is_tracking_on(settings):
        yield Tracking(None, warn)
        return
    folder = settings.scratch / "wandb"
    folder.mkdir(parents=True, exist_ok=True)
    # By default W&B stages copies of models in the user's home.
    with environment({"WANDB_DATA_DIR": str(folder)}):
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
    """Return the ID of the Dagster run that trained a network, from the folder of `trained_lstm`."""
    run: str | None = json.loads((trained_lstm / TRAINING).read_text(encoding="utf-8")).get("run_id")
    return run


def _start(warn: Warn, **arguments: Any) -> Any:
    """Start a W&B run with the server if possible, else offline; None if neither works."""
    import wandb

    quiet = {"silent": True, "console": "off", "finish_timeout_raises": True}
    bounds = {"init_timeout": INIT_SECONDS, "finish_timeout": FINISH_SECONDS}
    if not _is_offline():
        try:
            _log_in()
            return wandb.init(**arguments, resume="allow", settings=wandb.Settings(**quiet, **bounds))
        except Exception as error:
            warn(
                f"W&B cannot be reached or rejects the run ({_line(error)}): it is kept on disk for `wandb sync`."
            )
    try:
        return wandb.init(**arguments, mode="offline", settings=wandb.Settings(**quiet))
    except Exception as error:
        warn(f"W&B failed, nothing is tracked: {_line(error)}")
        return None


def _log_in() -> None:
    """Validate the key with dagster-wandb's resource, with a temporary folder for W&B's login files."""
    from dagster import build_init_resource_context
    from dagster_wandb import wandb_resource

    given = {"api_key": os.environ["WANDB_API_KEY"], "host": os.environ.get("WANDB_BASE_URL", _CLOUD)}
    with (
        tempfile.TemporaryDirectory() as folder,
        environment({"NETRC": str(Path(folder) / "netrc"), "WANDB_CONFIG_DIR": folder}),
    ):
        wandb_resource(build_init_resource_context(config=given))


def _is_offline() -> bool:
    return os.environ.get("WANDB_MODE") == "offline"


def _line(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text if text.endswith(".") else f"{text}."
