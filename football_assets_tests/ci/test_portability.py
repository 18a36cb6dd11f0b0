"""The package imports on the platform of the tests, and where modules and functions of POSIX are missing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from football_assets.runtime.home import project_root

POSIX_MODULES = ("fcntl", "grp", "posix", "pty", "pwd", "resource", "syslog", "termios", "tty")
POSIX_FUNCTIONS = (
    *("O_CLOEXEC", "O_DIRECTORY", "O_NOFOLLOW", "P_ALL", "WNOHANG", "chown", "chroot", "fchmod", "fdatasync"),
    *(
        "fork",
        "forkpty",
        "getegid",
        "geteuid",
        "getgid",
        "getgroups",
        "getpgid",
        "getsid",
        "getuid",
        "killpg",
    ),
    *("mkfifo", "nice", "pipe2", "posix_fadvise", "posix_spawn", "pread", "preadv", "pwrite", "pwritev"),
    *(
        "register_at_fork",
        "sched_getaffinity",
        "sendfile",
        "setgid",
        "setpgid",
        "setsid",
        "setuid",
        "statvfs",
    ),
    *("sysconf", "uname", "wait", "wait4", "waitid"),
)
POSIX_SIGNALS = ("SIGHUP", "SIGKILL", "SIGQUIT", "SIGUSR1", "SIGUSR2", "pthread_sigmask", "sigwait")

# Imports all modules of the packages named as arguments.
IMPORT_ALL = """
import builtins, importlib, os, pkgutil, signal, sys

packages = tuple(sys.argv[1:])
names = list(packages)
for package in map(importlib.import_module, packages):
    names += [found.name for found in pkgutil.walk_packages(package.__path__, package.__name__ + ".")]
names = [name for name in names if not name.endswith(".__main__")]
for name in names:
    importlib.import_module(name)
print(len(names))
"""
# Imports them again without POSIX. Other libraries have been imported with all of it.
IMPORT_AGAIN = f"""
for name in [name for name in sys.modules if name.partition(".")[0] in packages]:
    del sys.modules[name]

found_import = builtins.__import__

def without_posix(name, globals=None, locals=None, fromlist=(), level=0):
    importer = (globals or {{}}).get("__name__", "")
    if name.partition(".")[0] in {POSIX_MODULES!r} and importer.partition(".")[0] in packages:
        raise ModuleNotFoundError(f"{{importer}} imports {{name}}, which Windows has not", name=name)
    return found_import(name, globals, locals, fromlist, level)

builtins.__import__ = without_posix
for name in {POSIX_FUNCTIONS!r}:
    if hasattr(os, name):
        delattr(os, name)
for name in {POSIX_SIGNALS!r}:
    delattr(signal, name)
for name in names:
    importlib.import_module(name)
"""


def import_all(
    *packages: str, path: Path | None = None, again: bool = True
) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "PYTHONPATH": f"{path or project_root()}{os.pathsep}{os.environ.get('PYTHONPATH', '')}",
    }
    return subprocess.run(
        [sys.executable, "-c", IMPORT_ALL + IMPORT_AGAIN * again, *packages],
        cwd=project_root(),
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_module_imports_on_this_platform() -> None:
    shown = import_all("football_assets", "serve", again=False)

    assert shown.returncode == 0, shown.stderr[-2000:]
    assert int(shown.stdout.split()[-1]) > 300


def test_a_module_that_does_not_import_on_this_platform_is_found(tmp_path: Path) -> None:
    package = tmp_path / "planted"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "module.py").write_text("import os; NAME = os.function_of_no_platform")

    shown = import_all("planted", path=tmp_path, again=False)

    assert shown.returncode != 0
    assert "function_of_no_platform" in shown.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="hides what Windows does not have")
def test_every_module_imports_without_the_modules_and_functions_that_only_posix_has() -> None:
    shown = import_all("football_assets", "serve")

    assert shown.returncode == 0, shown.stderr[-2000:]
    assert int(shown.stdout.split()[-1]) > 300


@pytest.mark.skipif(sys.platform == "win32", reason="hides what Windows does not have")
@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        ("import fcntl", "planted.module imports fcntl, which Windows has not"),
        ("from resource import getrusage", "planted.module imports resource, which Windows has not"),
        ("import os; NOW = os.getuid()", "module 'os' has no attribute 'getuid'"),
        ("import signal; NUMBERS = [signal.SIGHUP]", "module 'signal' has no attribute 'SIGHUP'"),
    ],
)
def test_a_module_that_needs_posix_to_be_imported_is_found(
    statement: str, problem: str, tmp_path: Path
) -> None:
    package = tmp_path / "planted"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "module.py").write_text(statement)

    shown = import_all("planted", path=tmp_path)

    assert shown.returncode != 0
    assert problem in shown.stderr
