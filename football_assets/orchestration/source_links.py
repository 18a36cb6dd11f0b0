"""Links from assets and their checks to the lines that define them, for the Dagster UI."""

import inspect
import warnings
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, cast

from dagster import (
    AnchorBasedFilePathMapping,
    AssetChecksDefinition,
    AssetKey,
    AssetsDefinition,
    AssetSpec,
    BetaWarning,
    CodeReferencesMetadataValue,
    LocalFileCodeReference,
    link_code_references_to_git,
    with_source_code_references,
)

PACKAGE = "football_assets"

# Key of asset metadata that the UI reads; Dagster exports no constant for it.
CODE_REFERENCES = "dagster/code_references"


def with_source_links(
    assets: Sequence[AssetsDefinition],
    checks: Iterable[AssetChecksDefinition],
    git_url: str | None = None,
    git_branch: str = "main",
) -> Sequence[AssetsDefinition]:
    """Attach the file and line of each asset's function, and of its checks, to the asset's metadata.

    The UI shows them as links of the asset. Dagster has no links of checks, so a check is a labelled link of its asset.
    Without `git_url` a link opens the local file.

    Parameters
    ----------
    git_url
        Address of the repository on GitHub or GitLab, such as `https://github.com/owner/name`.
    git_branch
        Branch or tag that the links point to.

    Raises
    ------
    ValueError
        `git_url` is neither on GitHub nor on GitLab.
    """
    with warnings.catch_warnings():
        # Dagster calls code references a beta feature, once for each of them.
        warnings.simplefilter("ignore", BetaWarning)
        linked = _with_local_links(assets, checks)
        if git_url is None:
            return linked
        package_file = Path(__file__).parents[1] / "__init__.py"
        mapping = AnchorBasedFilePathMapping(package_file, f"{PACKAGE}/__init__.py")
        return cast(
            "Sequence[AssetsDefinition]", link_code_references_to_git(linked, git_url, git_branch, mapping)
        )


def _with_local_links(
    assets: Sequence[AssetsDefinition], checks: Iterable[AssetChecksDefinition]
) -> Sequence[AssetsDefinition]:
    check_references = defaultdict[AssetKey, list[LocalFileCodeReference]](list)
    for definition in checks:
        for key in sorted(definition.check_keys, key=lambda key: key.name):
            reference = _reference(definition, label=f"check {key.name}")
            check_references[key.asset_key].append(reference)

    def add_checks(spec: AssetSpec) -> AssetSpec:
        known = spec.metadata.get(CODE_REFERENCES)
        references = [*(known.code_references if known else []), *check_references[spec.key]]
        return spec.merge_attributes(
            metadata={CODE_REFERENCES: CodeReferencesMetadataValue(code_references=references)}
        )

    linked = cast("Sequence[AssetsDefinition]", with_source_code_references(assets))
    return [definition.map_asset_specs(add_checks) for definition in linked]


def _reference(definition: AssetsDefinition, label: str) -> LocalFileCodeReference:
    compute: Any = definition.op.compute_fn
    code = inspect.unwrap(getattr(compute, "decorated_fn", compute)).__code__
    return LocalFileCodeReference(file_path=code.co_filename, line_number=code.co_firstlineno, label=label)
