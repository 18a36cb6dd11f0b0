"""The pages on the disk, the questions that they answer, and the command of `make docs`."""

from pathlib import Path

import pytest

from football_assets.definitions import defs
from football_assets.settings import Settings
from football_assets_tests.site.__main__ import ROOT, main
from football_assets_tests.site.pages import Pages
from football_assets_tests.site.questions import INDEX, QUESTIONS, questions
from football_assets_tests.site.reference import collect, write


@pytest.fixture(scope="module")
def folder(pages: Pages, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the site builder reads."""
    folder = tmp_path_factory.mktemp("docs")
    (folder / "old.md").write_text("a page that no longer exists")
    assert write(pages, folder) == len(list(folder.rglob("*.md")))
    return folder


def test_every_page_picture_and_source_file_is_on_the_disk(pages: Pages, folder: Path) -> None:
    assert not (folder / "old.md").exists()
    for page, text in pages.texts.items():
        assert (folder / page).read_text(encoding="utf-8") == text
    for name in ("images/lineage.png", "stylesheets/site.css", "reference/openapi.json"):
        assert (folder / name).is_file()
    source = (folder / "source" / "football_assets" / "settings.py.md").read_text(encoding="utf-8")
    assert "class Settings(BaseSettings):" in source


def test_pages_are_the_same_with_the_address_of_the_repository_but_for_links_of_source_files(
    pages: Pages, tmp_path: Path
) -> None:
    linked = collect(ROOT, Settings(git_url="https://github.com/owner/name", git_branch="v1"))
    write(linked, tmp_path)

    assert linked.texts == pages.texts
    source = (tmp_path / "source" / "football_assets" / "raw" / "assets.py.md").read_text(encoding="utf-8")
    assert "https://github.com/owner/name/blob/v1/football_assets/raw/assets.py" in source


def test_there_is_a_page_for_each_question_and_a_source_file_for_each_asset(folder: Path) -> None:
    asked = questions(folder)

    assets = [spec.key.to_user_string() for spec in defs.resolve_all_asset_specs()]
    assert set(asked) == {*QUESTIONS, *(f"Where is the code of {name}?" for name in assets)}
    assert asked["Where is the code of team_form?"] == "source/dbt_features/models/form/team_form.sql/"
    for address in asked.values():
        assert (folder / f"{address.partition('#')[0].rstrip('/')}.md").is_file(), address
    assert (folder / INDEX).is_file()


def test_the_command_has_two_steps(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["deploy"]) == 2
    assert "write|check" in capsys.readouterr().err
