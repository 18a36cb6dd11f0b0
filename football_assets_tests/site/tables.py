"""The reference of the tables in the bucket: dbt models, dbt seeds, and tables that Polars writes."""

from collections.abc import Iterable, Mapping
from typing import Any

from dagster import Definitions, TableColumn

from football_assets.raw.matches import REJECTED_DESCRIPTIONS, REJECTED_SCHEMA
from football_assets.raw.schema import Match
from football_assets_tests.site import markdown
from football_assets_tests.site.markdown import cell, code, escaped, heading, relative, table
from football_assets_tests.site.pages import Pages

PAGE = "reference/tables.md"
INTRODUCTION = """# Tables

Every table is Parquet below `tables/` in the bucket: one object per country up to `match_features`, one per day for
`prediction_log`. The dbt models are in [`dbt_features`]({source}); `dbt build` and `dbt docs` work there by hand. The
columns of `team_ratings`, `team_market_ratings` and `team_shot_ratings` that the network reads are in the
[feature specification](features.md).

"""
Column = tuple[str, str, str]  # name, type, description


def add_tables(pages: Pages, definitions: Definitions, manifest: Mapping[str, Any]) -> None:
    """Add the page of tables. A table without a schema in the code is left out."""
    groups = {spec.key.to_user_string(): spec.group_name for spec in definitions.resolve_all_asset_specs()}
    seeds = {
        node["name"]: (node["description"], _dbt_columns(node))
        for node in manifest.values()
        if node["resource_type"] == "seed"
    }
    text = INTRODUCTION.format(source=pages.source(PAGE, "dbt_features"))
    for name, (description, columns) in {**asset_tables(definitions), **seeds}.items():
        text += heading(2, f"`{name}`", name) + "\n"
        if name in groups:
            target = relative(PAGE, f"reference/assets/{groups[name]}.md", name)
            text += f"[The asset {code(name)}]({target})"
        text += f"\n\n{escaped(description.strip())}\n\n{_table(columns)}\n"
    pages.add(PAGE, text)


def asset_tables(definitions: Definitions) -> dict[str, tuple[str, list[Column]]]:
    """Return the description of one row and the columns of each asset that is a table, in the order of the graph."""
    matches = [
        (name, str(column.dtype), column.description or "") for name, column in Match.columns().items()
    ]
    rejected = [(name, str(kind), REJECTED_DESCRIPTIONS[name]) for name, kind in REJECTED_SCHEMA.items()]
    tables = {
        "raw_matches": ("One row per match, played or not.", matches),
        "raw_matches_rejected": (
            "One row per record of a landing object that is not in `raw_matches`, or only without "
            "the columns in `left_out`.",
            rejected,
        ),
    }
    specs = {spec.key: spec for spec in definitions.resolve_all_asset_specs()}
    for key in definitions.resolve_asset_graph().toposorted_asset_keys:
        spec = specs[key]
        schema = spec.metadata.get("dagster/column_schema")
        if schema is not None:
            description = (spec.description or "").partition("\n\n")[0]
            tables[spec.key.to_user_string()] = (
                description,
                [_asset_column(item) for item in schema.columns],
            )
    return tables


def _asset_column(column: TableColumn) -> Column:
    return column.name, column.type, column.description or ""


def _dbt_columns(node: Mapping[str, Any]) -> list[Column]:
    return [
        (column["name"], column.get("data_type") or "varchar", column["description"])
        for column in node["columns"].values()
    ]


def _table(columns: Iterable[Column]) -> str:
    rows = [[markdown.name(name), code(kind), cell(description)] for name, kind, description in columns]
    return table(["Column", "Type", "Meaning"], rows)
