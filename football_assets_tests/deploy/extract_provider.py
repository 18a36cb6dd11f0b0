"""Extract the schemas of resources from the bindings that HashiCorp generated from its Google provider.

    pip download --no-deps cdktf-cdktf-provider-google==16.12.1 && unzip -d bindings cdktf*.whl
    python -m football_assets_tests.deploy.extract_provider bindings/cdktf_cdktf_provider_google

The bindings of provider 6.50.0 are the last. `google_provider.json` has the types that deploy/gcp uses: of each block
the arguments and nested blocks, whether they are required, and of each type the attributes that another may read.
"""

import ast
import json
import re
import sys
from pathlib import Path
from typing import Any

FILE = Path(__file__).parent / "google_provider.json"
# Terraform's own, not the provider's.
META = {"connection", "count", "depends_on", "for_each", "lifecycle", "provider", "provisioners"}


def main(bindings: Path, types: list[str]) -> None:
    """Write the schemas of some types, data sources with the prefix `data.`."""
    schemas = {name: schema_of(bindings, name) for name in types}
    lines = [
        f"{json.dumps(name)}: {json.dumps(schema, separators=(',', ':'))}" for name, schema in schemas.items()
    ]
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def schema_of(bindings: Path, name: str) -> dict[str, Any]:
    """Return arguments and attributes of a type."""
    module = name.replace("data.google_", "data_google_").removeprefix("google_")
    tree = ast.parse((bindings / module / "__init__.py").read_text())
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    camel = "".join(part.title() for part in module.split("_"))
    main_class = next(node for key, node in classes.items() if key.lower() == camel.lower())
    attributes = {
        node.name
        for node in main_class.body
        if isinstance(node, ast.FunctionDef)
        and any("property" in ast.unparse(one) for one in node.decorator_list)
        and not node.name.endswith("_input")
        and node.name.islower()
    }
    block = block_of(classes, classes[f"{main_class.name}Config"])
    block["arguments"] = {key: value for key, value in block["arguments"].items() if key not in META}
    return {**block, "attributes": sorted(attributes)}


def block_of(classes: dict[str, ast.ClassDef], node: ast.ClassDef) -> dict[str, Any]:
    """Return the arguments of a block: required or not, and the nested block if it is one."""
    init = next(one for one in node.body if isinstance(one, ast.FunctionDef) and one.name == "__init__")
    arguments = {}
    for argument, default in zip(init.args.kwonlyargs, init.args.kw_defaults, strict=True):
        found = re.findall(r"[A-Z]\w+", ast.unparse(argument.annotation)) if argument.annotation else []
        nested = next((classes[one] for one in found if one in classes), None)
        arguments[argument.arg.rstrip("_")] = {
            "required": default is None,
            "block": block_of(classes, nested) if nested else None,
        }
    return {"arguments": arguments}


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
