"""The application builder that Serve's configuration files name: `import_path: serve.app:build`."""

from typing import Any

from ray.serve import Application

from serve.deployment import Forecaster, ReplicaConfig


def build(args: dict[str, Any]) -> Application:
    """Build the application from arguments, the fields of `ReplicaConfig`."""
    return Forecaster.bind(  # type: ignore[attr-defined]
        ReplicaConfig(**args).model_dump()
    )
