"""What a newcomer asks, and the page that answers it: each is at most three clicks from the first page."""

import re
from pathlib import Path

from football_assets_tests.site.pages import SOURCES

QUESTIONS = {
    "How do I add my league's results?": "how-to/own-results/",
    "How do I deploy on GKE?": "how-to/gke/",
    "How do I train on a GPU?": "how-to/gpu_training/",
    "How do I roll back?": "how-to/roll-back/#roll-back",
    "How do I read the drift report?": "how-to/drift-report/",
    "How do I call the API from Python?": "how-to/python-client/",
}
INDEX = "reference/assets/index.md"
_SOURCE_LINK = re.compile(rf"\]\((?:\.\./)+({SOURCES}/[^)#]+)\.md")


def questions(folder: Path) -> dict[str, str]:
    """Return the questions of `QUESTIONS`, and one for the code of each asset that the reference lists.

    Parameters
    ----------
    folder
        Folder of the Markdown pages.
    """
    index = (folder / INDEX).read_text(encoding="utf-8")
    found = {}
    for line in index.splitlines():
        link = _SOURCE_LINK.search(line)
        if line.startswith("| [`") and link:
            name = line.split("`")[1]
            found[f"Where is the code of {name}?"] = f"{link[1]}/"
    return {**QUESTIONS, **found}
