"""The reference of the asset graph, from `football_assets.definitions.defs`."""

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dagster import AssetCheckKey, AssetKey, Definitions, DynamicPartitionsDefinition

from football_assets.orchestration.source_links import CODE_REFERENCES
from football_assets_tests.site import markdown
from football_assets_tests.site.markdown import cell, code, first_sentence, heading, prose, relative, table
from football_assets_tests.site.pages import Pages

FOLDER = "reference/assets"
INDEX = f"{FOLDER}/index.md"
UNIQUE_ID = (
    "dagster_dbt/unique_id"  # key of metadata that dagster-dbt writes: identifier of the node in the manifest
)
GROUPS = {
    "landing": "Files of results in the bucket become one table of matches and one of rejected records.",
    "features": "Form, tables and ratings of each team as of kick-off, by country.",
    "learning": "Sequences, the network, its evaluation, backtests and the search for hyperparameters.",
    "export": "The network, its normalisation and its calibration as one ONNX graph.",
    "registry": "Versions of the model, and the gate that decides about promotion.",
    "forecasting": "Forecasts of the matches that are not played yet.",
    "monitoring": "Forecasts that the HTTP endpoint returned, and the drift of its requests from the training data.",
    "deployment": "Verification that Ray Serve answers from the production version.",
}
INTRODUCTION = """# Assets and checks

Each asset has a link to the source file that defines it. [`football_assets/definitions.py`]({definitions}) merges
them into one code location. Assets with the partitions `countries` have one partition per country; the others read all
of them.

"""


class AssetReference:
    """Builds the pages of the assets of a code location, one per group.

    Parameters
    ----------
    manifest
        Nodes of the dbt project by their identifier: the descriptions and files of dbt tests.
    """

    def __init__(self, pages: Pages, definitions: Definitions, manifest: Mapping[str, Any]) -> None:
        self.pages = pages
        self.manifest = manifest
        self.graph = definitions.resolve_asset_graph()
        self.specs = {spec.key: spec for spec in definitions.resolve_all_asset_specs()}
        self.groups = defaultdict[str, list[AssetKey]](list)
        for key in self.graph.toposorted_asset_keys:
            if key in self.specs:
                self.groups[self.specs[key].group_name or "default"].append(key)
        self.checks = defaultdict[AssetKey, list[AssetCheckKey]](list)
        for check in sorted(self.graph.asset_check_keys, key=lambda key: key.name):
            self.checks[check.asset_key].append(check)

    def add(self) -> None:
        """Add the page of all assets and a page for each group.

        Raises
        ------
        KeyError
            A group has no description in `GROUPS`.
        """
        text = INTRODUCTION.format(definitions=self.pages.source(INDEX, "football_assets/definitions.py"))
        for group in sorted(self.groups, key=list(GROUPS).index):
            page = f"{FOLDER}/{group}.md"
            rows = [
                [
                    self._link(INDEX, key),
                    self._source(INDEX, key),
                    cell(first_sentence(self.specs[key].description)),
                ]
                for key in self.groups[group]
            ]
            listed = table(["Asset", "Source", "What it holds"], rows)
            text += f"## {group.capitalize()}\n\n{GROUPS[group]}\n\n{listed}\n"
            sections = "\n".join(self._section(page, key) for key in self.groups[group])
            self.pages.add(page, f"# Assets: {group}\n\n{GROUPS[group]}\n\n{sections}")
        self.pages.add(INDEX, text)

    def _section(self, page: str, key: AssetKey) -> str:
        spec, node = self.specs[key], self.graph.get(key)
        facts = [f"Source: {', '.join(self._sources(page, key))}"]
        for relation, keys in (("Reads", node.parent_keys), ("Read by", node.child_keys)):
            known = sorted(other for other in keys if other in self.specs)
            if known:
                facts.append(f"{relation}: {', '.join(self._link(page, other) for other in known)}")
        if isinstance(spec.partitions_def, DynamicPartitionsDefinition):
            facts.append(f"Partitions: {code(spec.partitions_def.name)}")
        facts.append(f"Kinds: {', '.join(sorted(spec.kinds))}")
        facts.append(f"Owner: {', '.join(spec.owners)}")
        if "dagster/column_schema" in spec.metadata:
            target = relative(page, "reference/tables.md", key.to_user_string())
            facts.append(f"[Columns of the table]({target})")
        if self.checks[key]:
            checks = table(
                ["Check", "Blocking", "What holds"],
                [self._check_row(page, check) for check in self.checks[key]],
            )
        else:
            checks = "The asset has no check.\n"
        name = key.to_user_string()
        listed = "\n".join(f"- {fact}" for fact in facts)
        return f"{heading(2, f'`{name}`', name)}\n{prose(spec.description)}\n\n{listed}\n\n{checks}"

    def _check_row(self, page: str, key: AssetCheckKey) -> list[str]:
        spec = self.graph.get_check_spec(key)
        node = self.manifest.get(str(spec.metadata.get(UNIQUE_ID)))
        link = self._check_link(page, key) if node is None else self._dbt_link(page, node)
        description = (node["description"] if node else spec.description) or ""
        return [
            f"[{markdown.name(key.name)}]({link})",
            "yes" if spec.blocking else "no",
            cell(first_sentence(description)),
        ]

    def _dbt_link(self, page: str, node: Mapping[str, Any]) -> str:
        return self.pages.source(page, f"dbt_features/{node['original_file_path']}")

    def _check_link(self, page: str, key: AssetCheckKey) -> str:
        by_label = {reference.label: reference for reference in reversed(self._references(key.asset_key))}
        # The function of the asset evaluates a check without a reference of its own.
        return self._reference_link(page, by_label.get(f"check {key.name}", by_label[None]))

    def _sources(self, page: str, key: AssetKey) -> list[str]:
        own = [reference for reference in self._references(key) if reference.label is None]
        return [
            f"[{code(self._path(reference))}]({self._reference_link(page, reference)})" for reference in own
        ]

    def _source(self, page: str, key: AssetKey) -> str:
        return self._sources(page, key)[0]

    def _references(self, key: AssetKey) -> list[Any]:
        return list(self.specs[key].metadata[CODE_REFERENCES].code_references)

    def _reference_link(self, page: str, reference: Any) -> str:
        return self.pages.source(page, self._path(reference), reference.line_number)

    def _path(self, reference: Any) -> str:
        return Path(reference.file_path).resolve().relative_to(self.pages.root.resolve()).as_posix()

    def _link(self, page: str, key: AssetKey) -> str:
        name = key.to_user_string()
        target = f"{FOLDER}/{self.specs[key].group_name}.md"
        return f"[{markdown.name(name)}]({relative(page, target, name)})"
