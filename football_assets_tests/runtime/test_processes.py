"""Programs side by side: one end is the end of all, a signal reaches each once, and nothing of them stays."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from football_assets.runtime.processes import run_together

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


# Starts a process that leaves its session and its parent, as HAProxy is left behind by a killed proxy.
RUNAWAY = """
import os, pathlib, signal, socket, sys, time
file = pathlib.Path(sys.argv[1])
if os.fork():
    time.sleep(600)
os.setsid()
if os.fork():
    os._exit(0)
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
listening = socket.create_server(("127.0.0.1", 0))
new = file.with_suffix(".new")
new.write_text(f"{os.getpid()} {listening.getsockname()[1]}")
new.rename(file)
time.sleep(600)
"""
TOGETHER = """
import sys
from pathlib import Path
from football_assets.runtime.processes import run_together
names, code, grace = sys.argv[3:], sys.argv[1], float(sys.argv[2])
sys.exit(run_together({name: [sys.executable, "-c", code, name] for name in names}, Path.cwd(), grace))
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


def test_a_module_of_the_working_directory_does_not_replace_one_of_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "struct.py").write_text("raise SystemExit(7)")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)

    assert run_together({"only": [sys.executable, "-c", ""]}, tmp_path / "elsewhere") == 0


def test_one_that_does_not_end_is_killed_with_what_it_started(tmp_path: Path) -> None:
    file, child = tmp_path / "stubborn", tmp_path / "child"
    starting = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {STUBBORN!r}, {str(child)!r}])"
    parent = f"import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\n{starting}"

    run_together(
        {"stubborn": python(parent), "short": python(after(child, f"pathlib.Path({str(file)!r}).touch()"))},
        tmp_path,
        grace=0.2,
    )

    assert file.exists()
    assert processes_with(child) == []


@dataclass(frozen=True)
class Together:
    """A process that runs programs together, the supervisor below it, and a process that got away from a program."""

    command: psutil.Process
    supervisor: psutil.Process
    runaway: psutil.Process
    port: int

    def everything(self) -> list[psutil.Process]:
        return [self.supervisor, *self.supervisor.children(recursive=True), self.runaway]


@contextmanager
def running_together(folder: Path, grace: float = 0.2) -> Iterator[Together]:
    file = folder / "runaway"
    process = subprocess.Popen(python(TOGETHER, RUNAWAY, grace, file), start_new_session=True)
    try:
        wait_until(file.exists)
        (supervisor,) = psutil.Process(process.pid).children()
        runaway, port = map(int, file.read_text().split())
        yield Together(psutil.Process(process.pid), supervisor, psutil.Process(runaway), port)
    finally:
        process.kill()
        process.wait()


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def processes_with(argument: object) -> list[psutil.Process]:
    return [one for one in psutil.process_iter(["cmdline"]) if str(argument) in (one.info["cmdline"] or ())]


def is_gone(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def terminate_all(here: Together) -> None:
    """What systemd does with a control group."""
    for one in (here.command, *here.everything()):
        with suppress(psutil.NoSuchProcess):
            one.terminate()


ENDS: dict[str, Callable[[Together], None]] = {
    "SIGINT": lambda here: here.command.send_signal(signal.SIGINT),
    "SIGTERM": lambda here: here.command.terminate(),
    "SIGHUP": lambda here: here.command.send_signal(signal.SIGHUP),
    "SIGTERM to the process group": lambda here: os.killpg(here.command.pid, signal.SIGTERM),
    "SIGTERM to every process": terminate_all,
    "SIGKILL": lambda here: here.command.kill(),
    "SIGKILL of the process group": lambda here: os.killpg(here.command.pid, signal.SIGKILL),
    "SIGKILL of the supervisor": lambda here: here.supervisor.kill(),
}


@pytest.mark.parametrize("end", ENDS)
def test_after_any_end_no_process_is_left_and_the_port_is_free(tmp_path: Path, end: str) -> None:
    with running_together(tmp_path) as here:
        everything = here.everything()
        assert len(everything) >= 3
        ENDS[end](here)
        if end.startswith("SIGKILL of the process") or end == "SIGKILL":
            wait_until(lambda: all(map(is_gone, everything)))
        else:
            here.command.wait(60)  # the command itself ends last
            assert [one for one in everything if not is_gone(one)] == []
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", here.port))


def test_programs_are_interrupted_before_they_are_killed_when_the_command_is_killed(tmp_path: Path) -> None:
    file = tmp_path / "patient"
    with subprocess.Popen(python(TOGETHER, PATIENT, 60, file)) as together:
        wait_until(file.exists)
        together.kill()
    wait_until(lambda: not processes_with(file))
    assert file.read_text() == "ready\ninterrupted\n"


def test_other_children_of_the_caller_go_on(tmp_path: Path) -> None:
    with subprocess.Popen(python("import time; time.sleep(600)")) as other:
        assert run_together({"failing": python("import sys; sys.exit(4)")}, tmp_path) == 4
        assert other.poll() is None
        other.kill()


def test_a_program_that_a_signal_ended_gives_the_exit_code_of_a_shell(tmp_path: Path) -> None:
    killed = python("import os; os.kill(os.getpid(), 9)")
    assert run_together({"killed": killed}, tmp_path) == 128 + signal.SIGKILL


def test_a_descriptor_stays_open_until_the_last_process_has_ended(tmp_path: Path) -> None:
    """A lock on it keeps others away as long as anything runs."""
    reading, writing = os.pipe()
    file = tmp_path / "runaway"
    code = TOGETHER.replace("grace))", f"grace, keep_open=[{writing}]))")
    with subprocess.Popen(python(code, RUNAWAY, 0.2, file), pass_fds=[writing]) as together:
        os.close(writing)
        wait_until(file.exists)
        runaway = psutil.Process(int(file.read_text().split()[0]))
        together.kill()
        assert os.read(reading, 1) == b""  # the last one that has it open has ended
        assert is_gone(runaway)
    os.close(reading)


def test_a_signal_ends_all_and_is_no_failure(tmp_path: Path) -> None:
    files = [tmp_path / "first", tmp_path / "second"]
    code = (
        "import sys; from pathlib import Path; from football_assets.runtime.processes import run_together;"
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
