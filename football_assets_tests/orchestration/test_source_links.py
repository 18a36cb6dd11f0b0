"""Links from assets and checks to the lines that define them."""

import inspect
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from football_assets.orchestration.source_links import CODE_REFERENCES, with_source_links
from football_assets.runtime.home import project_root


@dg.asset
def first() -> None:
    """Is linked."""


@dg.multi_asset(specs=[dg.AssetSpec("second", metadata={"rows": 7}), dg.AssetSpec("third")])
def several() -> Iterator[dg.MaterializeResult]:
    """Has one function for two assets."""
    yield from ()


@dg.asset_check(asset=first)
def first_is_whole() -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=True)


@dg.multi_asset_check(specs=[dg.AssetCheckSpec(name, asset="second") for name in ("is_new", "is_sorted")])
def several_checks() -> Iterator[dg.AssetCheckResult]:
    yield from ()


CHECKS = [first_is_whole, several_checks]
FILE = Path(__file__)


def references(definitions: Any, key: str) -> list[Any]:
    metadata = {
        name: found for definition in definitions for name, found in definition.metadata_by_key.items()
    }
    return list(metadata[dg.AssetKey(key)][CODE_REFERENCES].code_references)


def line_of(definition: Any) -> int:
    function = definition.op.compute_fn.decorated_fn
    return inspect.getsourcelines(function)[1]


def test_an_asset_is_linked_to_its_function_and_to_those_of_its_checks() -> None:
    linked = with_source_links([first, several], CHECKS)

    assert [(Path(link.file_path), link.line_number, link.label) for link in references(linked, "first")] == [
        (FILE, line_of(first), None),
        (FILE, line_of(first_is_whole), "check first_is_whole"),
    ]
    assert [(link.line_number, link.label) for link in references(linked, "second")] == [
        (line_of(several), None),
        (line_of(several_checks), "check is_new"),
        (line_of(several_checks), "check is_sorted"),
    ]
    assert [link.line_number for link in references(linked, "third")] == [line_of(several)]
    assert FILE.read_text().splitlines()[line_of(first) - 1] == "@dg.asset"


def test_other_metadata_stays() -> None:
    (linked,) = with_source_links([several], CHECKS)

    assert linked.metadata_by_key[dg.AssetKey("second")]["rows"] == 7


def test_with_a_repository_the_links_name_the_file_in_it() -> None:
    path = FILE.relative_to(project_root()).as_posix()

    linked = with_source_links([first], CHECKS, "https://github.com/owner/name", "v1")

    assert [link.url for link in references(linked, "first")] == [
        f"https://github.com/owner/name/tree/v1/{path}#L{line_of(first)}",
        f"https://github.com/owner/name/tree/v1/{path}#L{line_of(first_is_whole)}",
    ]


def test_a_repository_elsewhere_is_rejected() -> None:
    with pytest.raises(ValueError, match="source control platform"):
        with_source_links([first], CHECKS, "https://example.org/owner/name")


def test_links_give_no_warning_of_a_beta_feature() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", dg.BetaWarning)

        assert with_source_links([first], CHECKS, "https://gitlab.com/owner/name")
