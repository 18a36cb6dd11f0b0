"""Every worker of a test session collects tests of the same names."""

import gzip
import subprocess
import sys

import pytest

LATER = "football_assets_tests.builders.later_clock"


@pytest.mark.parametrize("data", [gzip.compress(b"results")])
def test_binary_data_is_named_after_its_argument(data: bytes, request: pytest.FixtureRequest) -> None:
    assert request.node.name.endswith("[data]"), data


def test_no_test_is_named_after_the_time_or_the_order_of_a_set(request: pytest.FixtureRequest) -> None:
    """xdist fails a session whose workers collect different names, which a name with a time does now and then."""
    modules = sorted({str(item.path) for item in request.session.items})
    command = [
        sys.executable,
        *["-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", "-p"],
        LATER,
    ]
    later = subprocess.run([*command, *modules], capture_output=True, text=True, cwd=request.config.rootpath)
    assert later.returncode == 0, later.stdout + later.stderr
    collected = {line for line in later.stdout.splitlines() if "::" in line}
    assert {item.nodeid for item in request.session.items} - collected == set()
