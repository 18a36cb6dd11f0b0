"""The reference of the alerts, from the rules in `serve/monitoring`, with a link to the runbook of each."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from football_assets_tests.site.markdown import cell, code, name, relative, table
from football_assets_tests.site.pages import PageError, Pages

PAGE = "reference/alerts.md"
RULES = ("serve/monitoring/alerts.yml", "serve/monitoring/dagster_alerts.yml")
INTRODUCTION = """# Alerts

Each alert has a runbook: what to read, in which order, and what to do.
[On Kubernetes](../how-to/kubernetes.md#alerts) explains how alerts are routed.

"""


def add_alerts(pages: Pages) -> None:
    """Add the page of all alerts.

    Raises
    ------
    PageError
        The `runbook_url` of an alert is not a section of a page in `docs/`.
    """
    text = INTRODUCTION
    for path in RULES:
        rows = [
            [
                f"[{name(rule['alert'])}]({_runbook(rule)})",
                rule["labels"]["severity"],
                str(rule.get("for", "0s")),
                cell(rule["annotations"]["description"]),
            ]
            for rule in alerts_of(pages.root / path)
        ]
        text += f"## {'Dagster' if 'dagster' in path else 'Serving and models'}\n\n"
        text += f"Rules: [{code(path)}]({pages.source(PAGE, path)})\n\n"
        text += table(["Alert and runbook", "Severity", "For", "What it means"], rows) + "\n"
    pages.add(PAGE, text)


def alerts_of(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the alerting rules of a file of Prometheus rules."""
    for group in yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]:
        yield from (rule for rule in group["rules"] if "alert" in rule)


def _runbook(rule: dict[str, Any]) -> str:
    page, _, anchor = rule["annotations"]["runbook_url"].partition("#")
    if not page.startswith("docs/") or not anchor:
        raise PageError(
            f"The runbook_url of {rule['alert']} is no section of a page in docs/: {page}#{anchor}."
        )
    return relative(PAGE, page.removeprefix("docs/"), anchor)
