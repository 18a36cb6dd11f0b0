"""The reference of the run configuration, from the config schemas of the assets."""

import json
from collections.abc import Iterator
from typing import Any

from dagster import AssetKey, AssetsDefinition, Definitions, Field, Permissive, Shape

from football_assets_tests.site import markdown
from football_assets_tests.site.markdown import cell, code, heading, relative, table
from football_assets_tests.site.pages import Pages

PAGE = "reference/run-config.md"
INTRODUCTION = """# Run configuration

The launchpad of the Dagster UI shows these fields; `football materialize --config FILE` reads them from a YAML file:

```yaml
ops:
  trained_lstm:
    config:
      epochs: 10
      network: {hidden: 16}
```

"""


def add_run_config(pages: Pages, definitions: Definitions) -> None:
    """Add the page of the fields of every asset that has a config schema."""
    text = INTRODUCTION
    for key in sorted(definitions.resolve_asset_graph().materializable_asset_keys):
        asset = definitions.get_assets_def(key)
        fields = list(config_fields(asset))
        if fields:
            text += _section(key, str(asset.group_names_by_key[key]), fields)
    pages.add(PAGE, text)


def config_fields(asset: AssetsDefinition) -> Iterator[tuple[str, Field]]:
    """Yield the fields of an asset's config with their dotted names; those of nested configs instead of these."""
    schema = asset.op.config_schema.as_field() if asset.is_executable else None
    yield from _fields("", schema.config_type if schema else None)


def _fields(prefix: str, kind: Any) -> Iterator[tuple[str, Field]]:
    if isinstance(kind, Shape | Permissive):
        for name, field in kind.fields.items():
            nested = list(_fields(f"{prefix}{name}.", field.config_type))
            yield from nested or [(f"{prefix}{name}", field)]


def _section(key: AssetKey, group: str, fields: list[tuple[str, Field]]) -> str:
    name = key.to_user_string()
    rows = [
        [
            markdown.name(path),
            code(_shown(field.default_value)) if field.default_provided else "unset",
            cell(field.description or ""),
        ]
        for path, field in fields
    ]
    link = relative(PAGE, f"reference/assets/{group}.md", name)
    return f"{heading(2, f'`{name}`', name)}\n[The asset]({link})\n\n{table(['Field', 'Default', 'Meaning'], rows)}\n"


def _shown(value: Any) -> str:
    return str(value) if isinstance(value, float) else json.dumps(value)
