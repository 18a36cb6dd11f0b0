"""The automation acts: the proofs of `make loop`, in its order, on one installation; and what the UI shows of it."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from football_assets_tests.end_to_end.installation import Installation
from football_assets_tests.end_to_end.loop import NEW_RESULTS, PROOFS, Timeline, running_loop, say

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
PAGE_SECONDS = 120


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with running_loop(tmp_path_factory.mktemp("loop"), say) as found:
        yield found


@pytest.mark.parametrize("proof", PROOFS)
def test_the_loop_keeps_its_promise(here: Installation, proof: str) -> None:
    PROOFS[proof](here, Timeline(say))


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium, chromium-browser or google-chrome on the path")
def test_the_dagster_ui_shows_lineage_ticks_and_plots(here: Installation, tmp_path: Path) -> None:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    expect = playwright.expect
    expect.set_options(timeout=PAGE_SECONDS * 1000)
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1600, "height": 1000})
        page.set_default_timeout(PAGE_SECONDS * 1000)

        page.goto(f"{here.ui}/locations/football_assets/asset-groups/learning/lineage")
        for asset in ("sequence_tensors", "trained_lstm", "model_evaluation"):
            expect(page.get_by_text(asset, exact=True).first).to_be_visible()
        page.screenshot(path=tmp_path / "lineage.png")

        page.goto(f"{here.ui}/locations/football_assets/sensors/{NEW_RESULTS}")
        expect(page.get_by_text(re.compile(r"\d+ runs? requested")).first).to_be_visible()
        expect(page.get_by_text("refresh_forecasts", exact=True).first).to_be_visible()
        page.screenshot(path=tmp_path / "ticks.png")

        page.goto(f"{here.ui}/assets/trained_lstm?view=overview")
        page.get_by_text("[Show Markdown]").first.click()
        plot = page.locator('img[src^="data:image/png;base64,"]').first
        expect(plot).to_be_visible()
        assert plot.evaluate("image => image.naturalWidth") > 300
        page.screenshot(path=tmp_path / "plots.png")
        browser.close()
