"""The reference of the network's inputs, from the feature specification."""

from collections.abc import Iterable

from football_assets.sequences.spec import DEFAULT_SPEC, Feature
from football_assets_tests.site.markdown import cell, code, name, table
from football_assets_tests.site.pages import Pages

PAGE = "reference/features.md"
INTRODUCTION = """# Feature specification

The network reads two histories of `{length}` matches with {history} features each, and {context} features of the match
itself. The specification is saved beside the tensors and in each bundle as `feature_spec.json`;
[`football_assets/sequences/spec.py`]({source}) defines it. The order of the tables is the order of the columns.

| Tensor | Type | Shape |
| --- | --- | --- |
| `home_history`, `away_history` | float32 | `[matches, {length}, {history}]`, most recent match last, left-padded |
| `context` | float32 | `[matches, {context}]`, NaN where unknown |

A value below the lower bound or above the upper bound is clipped to it. The group names what the feature is computed
from; [what each input is worth](../studies/inputs.md) has their effect on the scores.

"""


def add_features(pages: Pages) -> None:
    """Add the page of the feature specification."""
    spec = DEFAULT_SPEC
    introduction = INTRODUCTION.format(
        length=spec.history_length,
        history=len(spec.history),
        context=len(spec.context),
        source=pages.source(PAGE, "football_assets/sequences/spec.py"),
    )
    pages.add(
        PAGE,
        f"{introduction}## History\n\nFeatures of a past match of a team.\n\n{_table(spec.history)}\n"
        f"## Context\n\nFeatures of the match that is forecast.\n\n{_table(spec.context)}",
    )


def _table(features: Iterable[Feature]) -> str:
    rows = [
        [
            name(feature.name),
            cell(feature.unit),
            f"{feature.lower:g} to {feature.upper:g}",
            code(feature.group),
            cell(feature.description),
        ]
        for feature in features
    ]
    return table(["Feature", "Unit", "Bounds", "Group", "Meaning"], rows)
