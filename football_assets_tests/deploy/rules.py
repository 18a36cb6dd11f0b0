"""Writes the rules as a resource of managed Prometheus: `python -m football_assets_tests.deploy.rules`."""

from typing import Any

import yaml

from football_assets_tests.deploy.manifests import DEPLOY, ROOT

TARGET = DEPLOY / "overlays" / "gke" / "rules.yaml"
HEAD = "# The rules of serve/monitoring, written by: python -m football_assets_tests.deploy.rules\n"


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as blocks."""


def _text(dumper: yaml.SafeDumper, value: str) -> Any:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


_Dumper.add_representer(str, _text)


def main() -> None:
    """Write the file, as the kind that Google evaluates against the series of all namespaces of the cluster."""
    groups = [
        group
        for name in ("alerts.yml", "dagster_alerts.yml")
        for group in yaml.safe_load((ROOT / "serve" / "monitoring" / name).read_text(encoding="utf-8"))[
            "groups"
        ]
    ]
    document = {
        "apiVersion": "monitoring.googleapis.com/v1",
        "kind": "ClusterRules",
        "metadata": {"name": "football"},
        "spec": {"groups": groups},
    }
    TARGET.write_text(
        HEAD + yaml.dump(document, Dumper=_Dumper, sort_keys=False, width=118), encoding="utf-8"
    )


if __name__ == "__main__":
    main()
