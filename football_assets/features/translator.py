"""How dbt models appear in Dagster: keys of one component, the package's group and owners, tests as asset checks."""

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from dagster import AssetKey, AssetSpec
from dagster_dbt import DagsterDbtTranslator, DbtProject

from football_assets.orchestration.metadata import OWNERS

GROUP = "features"


# A quoted text, which stays, or comments of SQL and Jinja and white space.
_COMMENTS = re.compile(r"""('(?:[^']|'')*'|"[^"]*")|(?:--[^\n]*|/\*.*?\*/|\{#.*?#\}|\s+)+""", re.DOTALL)


class FeatureTranslator(DagsterDbtTranslator):
    """Gives a dbt model or source the asset key of its table in the bucket."""

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> AssetKey:
        """Return the key with the name of the model or source."""
        return AssetKey(dbt_resource_props["name"])

    def get_asset_spec(
        self, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None
    ) -> AssetSpec:
        """Return the specification with the group, owners, kinds and code version of this package."""
        spec = super().get_asset_spec(manifest, unique_id, project)
        spec = spec.replace_attributes(
            group_name=GROUP,
            owners=OWNERS,
            kinds={"dbt", "duckdb"},
            code_version=code_version_of(manifest, unique_id) if unique_id in manifest["nodes"] else None,
        )
        return spec.with_io_manager_key("tables")

    def get_description(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """Return the description without the SQL."""
        return str(dbt_resource_props["description"])


def code_version_of(manifest: Mapping[str, Any], unique_id: str) -> str:
    """Return the digest of a model's SQL and of the SQL of the project's macros that it calls, directly or not.

    Comments and white space do not count. dagster-dbt's own code version counts them and leaves the macros out.
    """
    node = manifest["nodes"][unique_id]
    waiting, own = [*node["depends_on"]["macros"]], {}
    while waiting:
        name = waiting.pop()
        macro = manifest["macros"][name]
        if name not in own and macro["package_name"] == node["package_name"]:
            own[name] = macro["macro_sql"]
            waiting += macro["depends_on"]["macros"]
    code = "\0".join(
        _without_comments(sql) for sql in (node["raw_code"], *(own[name] for name in sorted(own)))
    )
    return hashlib.sha1(code.encode(), usedforsecurity=False).hexdigest()


def _without_comments(sql: str) -> str:
    return _COMMENTS.sub(lambda found: found[1] or " ", sql).strip()
