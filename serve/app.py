"""What Serve's configuration files import: `import_path: serve.app:build`."""

from typing import Any

from ray.serve import Application

from serve.deployment import Forecaster, ReplicaConfig


def build(args: dict[str, Any]) -> Application:
    """The application, with the fields of `ReplicaConfig` as arguments."""
    return Forecaster.bind(  # type: ignore[attr-defined]
        ReplicaConfig(**args).model_dump()
    )
