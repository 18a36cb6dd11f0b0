"""Programs side by side: one end is the end of all, and a signal reaches each once."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from football_assets.processes import run_together

PATIENT = """
import pathlib, signal, sys, time
file = pathlib.Path(sys.argv[1])
def interrupted(*_):
    with file.open("a") as notes:
        notes.write("interrupted\\n")
    sys.exit(0)
signal.signal(signal.SIGINT, interrupted)
new = file.with_suffix(".new")
new.write_text("ready\\n")
new.rename(file)
time.sleep(600)
"""
STUBBORN = """
import pathlib, signal, sys, time
signal.signal(signal.SIGINT, signal.SIG_IGN)
pathlib.Path(sys.argv[1]).write_text("ready\\n")
time.sleep(600)
"""


def python(code: str, *arguments: object) -> list[str]:
    return [sys.executable, "-c", code, *map(str, arguments)]


def after(file: Path, code: str) -> str:
    """Code that runs once another program is ready."""
    return (
        f"import pathlib, sys, time\nwhile not pathlib.Path({str(file)!r}).exists(): time.sleep(0.01)\n{code}"
    )


def test_when_one_ends_the_others_are_interrupted_and_its_exit_code_is_told(tmp_path: Path) -> None:
    file = tmp_path / "patient"

    code = run_together(
        {"patient": python(PATIENT, file), "short": python(after(file, "sys.exit(3)"))}, tmp_path
    )

    assert code == 3
    assert file.read_text() == "ready\ninterrupted\n"


def test_one_that_does_not_end_is_killed_with_what_it_started(tmp_path: Path) -> None:
    file, child = tmp_path / "stubborn", tmp_path / "child"
    starting = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {STUBBORN!r}, {str(child)!r}])"
    parent = f"import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\n{starting}"

    run_together(
        {"stubborn": python(parent), "short": python(after(child, f"pathlib.Path({str(file)!r}).touch()"))},
        tmp_path,
        grace=0.2,
    )

    left = subprocess.run(["pgrep", "-f", str(child)], capture_output=True, text=True, check=False)
    assert file.exists()
    assert left.stdout == ""


def test_a_signal_ends_all_and_is_no_failure(tmp_path: Path) -> None:
    files = [tmp_path / "first", tmp_path / "second"]
    code = (
        "import sys; from pathlib import Path; from football_assets.processes import run_together;"
        f"programs = {{name: [sys.executable, '-c', {PATIENT!r}, name] for name in sys.argv[1:]}};"
        "sys.exit(run_together(programs, Path.cwd()))"
    )
    with subprocess.Popen(python(code, *files)) as together:
        while not all(file.exists() for file in files):
            assert together.poll() is None
            time.sleep(0.01)
        os.kill(together.pid, signal.SIGTERM)
        assert together.wait() == 0

    assert [file.read_text() for file in files] == ["ready\ninterrupted\n"] * 2
