"""The reference of the environment variables, from `football_assets.settings`."""

from typing import Any

from football_assets.settings import Settings
from football_assets_tests.site import markdown
from football_assets_tests.site.markdown import cell, code, table
from football_assets_tests.site.pages import Pages

PAGE = "reference/variables.md"
INTRODUCTION = """# Environment variables

All variables are optional. A blank variable counts as unset, except that a blank `FOOTBALL_API_KEY` is an error. An
invalid value ends the command with a message that names the variable. [`.env.example`]({example}) lists all of them
with their defaults, and [`football_assets/settings.py`]({settings}) defines them.

"""
OTHERS = """
## Variables of other programs

| Variable | Meaning |
| --- | --- |
| `DAGSTER_HOME` | Folder of Dagster's storage and `dagster.yaml`. Default: `<FOOTBALL_HOME>/dagster`. |
| `GOOGLE_APPLICATION_CREDENTIALS` | File with the credentials of a service account, for a bucket at `gs://`. |
| `STORAGE_EMULATOR_HOST` | Address of a local server of the Google Cloud Storage API. |
| `WANDB_API_KEY`, `WANDB_MODE` | Key of Weights & Biases, or `offline`. |
| `RAY_ADDRESS`, `RAY_AUTH_MODE`, `RAY_AUTH_TOKEN` | Ray cluster that trains: `ray://HEAD:10001`, and its token. |
"""


def add_variables(pages: Pages) -> None:
    """Add the page of all environment variables of the project and those of other programs that it reads."""
    introduction = INTRODUCTION.format(
        example=pages.source(PAGE, ".env.example"), settings=pages.source(PAGE, "football_assets/settings.py")
    )
    pages.add(PAGE, introduction + table(["Variable", "Meaning", "Default", "Type"], _rows()) + OTHERS)


def anchor_of(field: str) -> str:
    """Return the anchor of a variable's row: `football_home`."""
    return f"football_{field}"


def _rows() -> list[list[str]]:
    properties: dict[str, dict[str, Any]] = Settings.model_json_schema()["properties"]
    return [
        [
            f'<span id="{anchor_of(name)}"></span>{markdown.name(f"FOOTBALL_{name.upper()}")}',
            cell(schema["description"]),
            code(schema["default"]) if schema.get("default") is not None else "unset",
            cell(type_of(schema)),
        ]
        for name, schema in properties.items()
    ]


def type_of(schema: dict[str, Any]) -> str:
    """Describe the type and the limits of a value by its JSON schema."""
    options = [option for option in schema.get("anyOf", [schema]) if option.get("type") != "null"]
    (value,) = options
    if value["type"] == "array":
        return f"list of {type_of(value['items'])}"
    words = [
        {"integer": "whole number", "number": "number", "string": "text", "boolean": "true or false"}[
            value["type"]
        ]
    ]
    if value.get("format") == "password":
        words = ["secret"]
    if value.get("format") == "path":
        words = ["path"]
    if value.get("format") == "uri":
        return "URL with http:// or https://"
    for keyword, phrase in (
        ("minimum", "at least {}"),
        ("exclusiveMinimum", "above {}"),
        ("maximum", "at most {}"),
        ("minLength", "at least {} characters"),
        ("pattern", "like `{}`"),
    ):
        limit = value.get(keyword, schema.get(keyword))
        if limit is not None:
            words.append(phrase.format(limit))
    return ", ".join(words)
