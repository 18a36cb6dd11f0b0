"""Check Terraform files without Terraform: syntax, arguments against the provider's schema, and references.

What it does not check: types of values, functions, and what Google accepts.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import hcl2

from football_assets_tests.deploy.extract_provider import FILE, META

_REFERENCE = re.compile(r"\b((?:data\.)?google_\w+)\.(\w+)(?:\[[^\]]*\])?(?:\.(\w+))?")
_NAME = re.compile(r"\b(var|local)\.(\w+)")
_MARKS = {"__is_block__", "__comments__", "__inline_comments__"}


@dataclass
class Configuration:
    """The blocks of a folder of Terraform files."""

    resources: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    variables: dict[str, dict[str, Any]] = field(default_factory=dict)
    local_values: dict[str, Any] = field(default_factory=dict)
    outputs: dict[str, dict[str, Any]] = field(default_factory=dict)
    other: list[Any] = field(default_factory=list)

    def expressions(self) -> Iterator[str]:
        """Yield every text that may hold a reference."""
        yield from _texts([list(self.resources.values()), self.local_values, self.outputs, self.other])


def read(*texts: str) -> Configuration:
    """Parse Terraform files."""
    found = Configuration()
    for text in texts:
        parsed = _plain(hcl2.loads(text))
        for kind, prefix in (("resource", ""), ("data", "data.")):
            for block in parsed.pop(kind, []):
                ((name, named),) = block.items()
                ((label, body),) = named.items()
                assert (f"{prefix}{name}", label) not in found.resources, f"{name}.{label} is defined twice"
                found.resources[f"{prefix}{name}", label] = body
        for kind, target in (("variable", found.variables), ("output", found.outputs)):
            for block in parsed.pop(kind, []):
                target.update(block)
        for block in parsed.pop("locals", []):
            found.local_values.update({name: value for name, value in block.items() if name not in _MARKS})
        found.other.append(parsed)
    return found


def read_folder(folder: Path) -> Configuration:
    """Parse the Terraform files of a folder."""
    return read(*(path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.tf"))))


def problems(configuration: Configuration) -> list[str]:
    """Return everything that is wrong, one line each."""
    schemas = json.loads(FILE.read_text())
    found = []
    for (name, label), body in configuration.resources.items():
        if name not in schemas:
            found.append(f"{name}: unknown type; extend google_provider.json")
            continue
        found += _block_problems(f"{name}.{label}", body, schemas[name]["arguments"], is_resource=True)
    known = {"var": configuration.variables, "local": configuration.local_values}
    for text in configuration.expressions():
        for kind, name in _NAME.findall(text):
            if name not in known[kind]:
                found.append(f"{kind}.{name} is not defined")
        for name, label, attribute in _REFERENCE.findall(text):
            if (name, label) not in configuration.resources:
                found.append(f"{name}.{label} is not defined")
            elif attribute and attribute not in schemas[name]["attributes"]:
                found.append(f"{name}.{label} has no attribute {attribute}")
    used = {
        name for text in configuration.expressions() for kind, name in _NAME.findall(text) if kind == "var"
    }
    used_locals = {
        name for text in configuration.expressions() for kind, name in _NAME.findall(text) if kind == "local"
    }
    found += [f"var.{name} is not used" for name in configuration.variables if name not in used]
    found += [f"local.{name} is not used" for name in configuration.local_values if name not in used_locals]
    for kind, blocks in (("variable", configuration.variables), ("output", configuration.outputs)):
        found += [
            f"{kind} {name} has no description"
            for name, body in blocks.items()
            if not body.get("description")
        ]
    return found


def _block_problems(
    where: str, body: dict[str, Any], arguments: dict[str, Any], is_resource: bool = False
) -> Iterator[str]:
    given: dict[str, list[Any]] = {}
    for name, value in body.items():
        if name in _MARKS or (is_resource and name in META):
            continue
        if name == "dynamic":
            for item in value:
                ((block, inner),) = item.items()
                given.setdefault(block, []).extend(inner["content"])
            continue
        given[name] = value if isinstance(value, list) else [value]
    for name, values in given.items():
        if name not in arguments:
            yield f"{where}: unknown argument {name}"
            continue
        nested = arguments[name]["block"]
        for value in values:
            is_block = isinstance(value, dict) and "__is_block__" in value
            if nested and is_block:
                yield from _block_problems(f"{where}.{name}", value, nested["arguments"])
            elif is_block:
                yield f"{where}: {name} is an argument, not a block"
            elif nested:
                yield f"{where}: {name} is a block, not an argument"
    for name, argument in arguments.items():
        if argument["required"] and name not in given:
            yield f"{where}: {name} is missing"


def _plain(value: Any) -> Any:
    """Return parsed values without the quotes that python-hcl2 keeps around literal names and texts."""
    if isinstance(value, dict):
        return {_plain(name): _plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, str) and len(value) > 1 and value[0] == value[-1] == '"':
        return value[1:-1]
    return value


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, item in value.items():
            if name not in ("__comments__", "__inline_comments__", "description"):
                yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, str):
        yield value
