"""dbt itself, in a process of its own, as a person runs it by hand."""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

from football_assets.features.dbt_build import DATABASE_VARIABLE, TABLES_VARIABLE
from football_assets.features.dbt_project import dbt_arguments, dbt_environment, dbt_executable


def dbt(folder: Path, tables: Path, *arguments: str) -> str:
    """Run dbt with its artifacts and its database in a folder, on tables of a local bucket; returns its output."""
    done = subprocess.run(
        [dbt_executable(), *dbt_arguments(*arguments)],
        cwd=folder,
        env={
            **dbt_environment(folder),
            TABLES_VARIABLE: str(tables),
            DATABASE_VARIABLE: str(folder / "features.duckdb"),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in {0, 1}, done.stdout + done.stderr  # 1: a test failed
    return done.stdout


def dbt_build(folder: Path, tables: Path, names: Sequence[str]) -> dict[str, str]:
    """Build and test some models or seeds; returns the status of each node, by its identifier."""
    dbt(folder, tables, "build", "--select", *names, "--indirect-selection", "buildable")
    results = json.loads((folder / "run_results.json").read_text())["results"]
    return {result["unique_id"]: result["status"] for result in results}
