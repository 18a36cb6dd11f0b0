"""dbt itself, in a process of its own, as a person runs it by hand."""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

from football_assets.features.dbt_project import _dbt_executable, dbt_arguments, dbt_environment


def dbt_build(database: Path, names: Sequence[str]) -> dict[str, str]:
    """Build and test some models or seeds in a database; returns what became of each node, by its identifier."""
    arguments = dbt_arguments("build", "--select", *names, "--indirect-selection", "buildable")
    arguments += ["--vars", json.dumps({"database": str(database)})]
    folder = database.parent
    done = subprocess.run(
        [_dbt_executable(), *arguments],
        cwd=folder,
        env=dbt_environment(folder),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in {0, 1}, done.stdout + done.stderr  # 1: a test failed
    results = json.loads((folder / "run_results.json").read_text())["results"]
    return {result["unique_id"]: result["status"] for result in results}
