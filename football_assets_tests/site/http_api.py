"""The reference of the HTTP API, from its OpenAPI document."""

import asyncio
import json
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import httpx

from football_assets.storage.local import LocalBucket
from football_assets_tests.site import markdown
from football_assets_tests.site.markdown import cell, code, escaped, heading, table
from football_assets_tests.site.pages import Pages
from serve.api import build_api
from serve.backend import Backend
from serve.metrics import ServingMetrics
from serve.middleware import Limits
from serve.problems import MEDIA_TYPE, STATUSES
from serve.service import ForecastService

PAGE = "reference/http-api.md"
DOCUMENT = "reference/openapi.json"
INTRODUCTION = """# HTTP API

`football serve` answers on `http://127.0.0.1:8000`. [Call the API from Python](../how-to/python-client.md) has
examples, [forecasts](../concepts/forecasts.md) explains what an answer is based on. The page `/docs` of a running
server shows the same as Swagger UI. [OpenAPI document](openapi.json){ download }.

With `FOOTBALL_API_KEY` every endpoint except `/health` and `/ready` requires the key as `X-API-Key`, as Bearer token or
as Basic password.

"""
Document = Mapping[str, Any]


def openapi_of_application() -> dict[str, Any]:
    """Return the OpenAPI document that the application answers at `/openapi.json`; it needs no model."""
    with tempfile.TemporaryDirectory() as folder:
        bucket = LocalBucket(Path(folder) / "bucket")
        service = ForecastService(bucket, Path(folder) / "scratch", ServingMetrics())
        try:
            app = build_api(service, Backend(service), limits=Limits(), keys=())
            return asyncio.run(_get_document(app))
        finally:
            service.close()


async def _get_document(app: Any) -> dict[str, Any]:
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://forecasts.test") as client:
        answer = await client.get("/openapi.json")
        document: dict[str, Any] = answer.raise_for_status().json()
        return document


def add_http_api(pages: Pages, document: Document) -> None:
    """Add the page of all operations and schemas. The document itself is written beside it as JSON."""
    operations = [
        (method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    rows = [
        [
            f"[{markdown.name(f'{method.upper()} {path}')}](#{anchor_of(method, path)})",
            cell(operation.get("description", "")),
        ]
        for method, path, operation in operations
    ]
    statuses = [[str(status), cell(meaning)] for status, meaning in STATUSES.items()]
    text = INTRODUCTION + table(["Endpoint", "What it answers"], rows)
    text += "\n## Errors { #errors }\n\n"
    text += f"An error is a problem document (RFC 9457, `{MEDIA_TYPE}`) with these fields:\n\n"
    text += _fields(document, document["components"]["schemas"]["Problem"])
    text += f"\n{table(['Status', 'When'], statuses)}\n"
    sections = defaultdict[str, list[str]](list)
    for method, path, operation in operations:
        sections[operation.get("tags", ["others"])[0]].append(_operation(document, method, path, operation))
    for tag, parts in sections.items():
        text += f"## {tag.capitalize()} {{ #{tag} }}\n\n" + "\n".join(parts)
    text += "## Schemas { #schemas }\n\n"
    for name, schema in document["components"]["schemas"].items():
        if name != "Problem":
            description = escaped(schema.get("description", ""))
            text += f"{heading(3, name, schema_anchor(name))}\n{description}\n\n{_fields(document, schema)}\n"
    pages.add(PAGE, text)


def write_document(document: Document, folder: Path) -> None:
    """Write the OpenAPI document beside its page."""
    (folder / DOCUMENT).write_text(json.dumps(document, indent=1, ensure_ascii=False), encoding="utf-8")


def anchor_of(method: str, path: str) -> str:
    """Return the anchor of an operation: GET /teams/{league} is `get-teams-league`."""
    words = path.replace("{", "").replace("}", "").strip("/").split("/")
    return "-".join([method, *words])


def schema_anchor(name: str) -> str:
    """Return the anchor of a schema's section."""
    return f"schema-{name.lower()}"


def _operation(document: Document, method: str, path: str, operation: Mapping[str, Any]) -> str:
    lines = [
        heading(3, f"`{method.upper()} {path}`", anchor_of(method, path)),
        escaped(operation.get("description", "")),
    ]
    parameters = [
        [
            markdown.name(parameter["name"]),
            parameter["in"],
            type_of(parameter["schema"]),
            _default(parameter["schema"], parameter.get("required", False)),
            cell(parameter.get("description", "")),
        ]
        for parameter in operation.get("parameters", ())
    ]
    if parameters:
        lines.append(table(["Parameter", "In", "Type", "Default", "Meaning"], parameters))
    for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
        lines.append(f"Body, `{media_type}`: {type_of(content['schema'])}.")
        example = _example(document, content["schema"])
        if example is not None:
            lines.append(f"```json\n{json.dumps(example, indent=2, ensure_ascii=False)}\n```")
    for status, response in sorted(operation["responses"].items()):
        if status < "400":
            kinds = [
                f"`{media_type}`: {type_of(content['schema'])}"
                if content.get("schema")
                else f"`{media_type}`"
                for media_type, content in response.get("content", {}).items()
            ]
            lines.append(f"Answer, status {status}, {', '.join(kinds)}.")
    errors = [status for status in sorted(operation["responses"]) if status >= "400"]
    lines.append(f"Errors: {', '.join(errors)} ([meaning](#errors)).")
    return "\n\n".join(lines) + "\n\n"


def _example(document: Document, schema: Mapping[str, Any]) -> Any:
    if "$ref" in schema:
        schema = document["components"]["schemas"][_name(schema)]
    return schema.get("example")


def _fields(document: Document, schema: Mapping[str, Any]) -> str:
    required = schema.get("required", ())
    rows = [
        [
            markdown.name(name),
            type_of(item),
            _default(item, name in required),
            cell(item.get("description", "")),
        ]
        for name, item in schema.get("properties", {}).items()
    ]
    return table(["Field", "Type", "Default", "Meaning"], rows)


def _default(schema: Mapping[str, Any], required: bool) -> str:
    if required:
        return "required"
    return code(json.dumps(schema["default"])) if schema.get("default") is not None else ""


def type_of(schema: Mapping[str, Any]) -> str:
    """Describe a JSON schema on one line; a schema of the document is a link to its section."""
    if "$ref" in schema:
        return f"[{_name(schema)}](#{schema_anchor(_name(schema))})"
    for keyword in ("anyOf", "oneOf"):
        if keyword in schema:
            return _alternatives(schema[keyword])
    if "const" in schema:
        return code(json.dumps(schema["const"]))
    if "enum" in schema:
        return ", ".join(code(json.dumps(value)) for value in schema["enum"])
    if schema.get("type") == "array":
        if "prefixItems" in schema:
            return f"list: {', '.join(type_of(item) for item in schema['prefixItems'])}"
        return f"list of {type_of(schema.get('items', {}))}"
    if schema.get("type") == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"object of {type_of(schema['additionalProperties'])}"
    return str(schema.get("format") or schema.get("type", "any"))


def _alternatives(schemas: Iterable[Mapping[str, Any]]) -> str:
    return " or ".join(type_of(schema) for schema in schemas)


def _name(schema: Mapping[str, Any]) -> str:
    return str(schema["$ref"]).rpartition("/")[2]
