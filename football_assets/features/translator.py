"""How dbt models appear in Dagster: keys of one component, the package's group and owners, tests as asset checks."""

from collections.abc import Mapping
from typing import Any

from dagster import AssetKey, AssetSpec
from dagster_dbt import DagsterDbtTranslator, DbtProject

from football_assets.orchestration.metadata import OWNERS

GROUP = "features"


class FeatureTranslator(DagsterDbtTranslator):
    """Gives a dbt model or source the asset key of its table in the bucket."""

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> AssetKey:
        """Return the key with the name of the model or source."""
        return AssetKey(dbt_resource_props["name"])

    def get_asset_spec(
        self, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None
    ) -> AssetSpec:
        """Return the specification with the group, owners and kinds of this package."""
        spec = super().get_asset_spec(manifest, unique_id, project)
        spec = spec.replace_attributes(group_name=GROUP, owners=OWNERS, kinds={"dbt", "duckdb"})
        return spec.with_io_manager_key("tables")

    def get_description(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """Return the description without the SQL."""
        return str(dbt_resource_props["description"])
