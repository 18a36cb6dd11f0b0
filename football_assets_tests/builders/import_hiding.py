"""Processes in which some libraries cannot be imported, as if they were not installed."""

import subprocess
import sys
from collections.abc import Collection

from football_assets.runtime.home import project_root

# What the extra `serve` does not install.
FORBIDDEN_IN_SERVE = (
    *("dagster", "dagster_dbt", "dagster_gcp", "dagster_wandb", "dataframely", "dbt", "duckdb", "evidently"),
    *("matplotlib", "onnx", "onnxscript", "safetensors", "scipy", "sklearn", "torch", "wandb"),
)
_HIDE = """
import importlib.metadata
import importlib.util
import sys

hidden = frozenset({hidden!r})

class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in hidden:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

find_spec, packages_distributions = importlib.util.find_spec, importlib.metadata.packages_distributions
importlib.util.find_spec = lambda name, *rest: None if name in hidden else find_spec(name, *rest)
importlib.metadata.packages_distributions = lambda: {{
    name: found for name, found in packages_distributions().items() if name not in hidden
}}
sys.meta_path.insert(0, Hidden())
"""


def run_without_modules(modules: Collection[str], code: str) -> subprocess.CompletedProcess[str]:
    """Run Python code in a process that finds neither modules of these top-level names nor their metadata."""
    program = _HIDE.format(hidden=sorted(modules)) + code
    return subprocess.run(
        [sys.executable, "-c", program], cwd=project_root(), capture_output=True, text=True, check=False
    )
