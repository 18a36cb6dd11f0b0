"""The table of markers names modules and tests that exist, and gives a test what its place has."""

from pathlib import Path

import pytest

from football_assets_tests.markers import MARKED, markers_of

TESTS = Path(__file__).parent


@pytest.mark.parametrize("place", sorted({place for places in MARKED.values() for place in places}))
def test_a_marked_place_exists(place: str) -> None:
    module, _, name = place.partition("::")

    assert (TESTS / module).exists(), f"markers.py: there is no {module}: rename or delete the entry"
    assert not name or f"def {name}(" in (TESTS / module).read_text(), f"markers.py: {module} has no {name}"


@pytest.mark.parametrize(
    ("test", "markers"),
    [
        ("end_to_end/test_loop.py::test_the_loop[gcs]", ["end_to_end", "ray", "browser"]),
        ("serve/test_page.py::test_a_team_is_chosen", ["browser"]),
        ("serve/test_schemas.py::test_a_team_is_chosen", []),
        ("training/test_plots.py::test_drawing_opens_no_display", ["slow"]),
        ("training/test_plots.py::test_drawing_opens_no_display[png]", ["slow"]),
        ("training/test_plots.py::test_drawing_opens_no_display_twice", []),
        ("training/test_fit.py::TestFit::test_losses", ["slow"]),
    ],
)
def test_a_test_has_the_markers_of_its_folder_its_module_and_its_own(test: str, markers: list[str]) -> None:
    assert markers_of(test) == markers


def test_a_test_of_a_home_after_the_demo_is_slow() -> None:
    assert markers_of("serve/test_service.py::test_an_answer", ["tmp_path", "demo_home"]) == ["slow"]
    assert markers_of("serve/test_page.py::test_a_team", ["demo_home"]) == ["browser", "slow"]
    assert markers_of("serve/test_service.py::test_an_answer", ["tmp_path"]) == []
    assert markers_of("serve/routes/test_teams.py::test_a_team", ["client"]) == ["slow"]


def test_collected_tests_have_their_markers(request: pytest.FixtureRequest) -> None:
    for item in request.session.items:
        if item.path.is_relative_to(TESTS):
            test = f"{item.path.relative_to(TESTS).as_posix()}::{item.nodeid.partition('::')[2]}"
            assert {mark.name for mark in item.iter_markers()} >= set(
                markers_of(test, getattr(item, "fixturenames", ()))
            )


def test_pytest_knows_every_marker(request: pytest.FixtureRequest) -> None:
    assert {marker.split(":")[0] for marker in request.config.getini("markers")} >= set(MARKED)
