"""Compare two OpenAPI documents and report what breaks clients of the first one.

A request that was valid must stay valid, and an answer must keep what a client may rely on: a value that was sent stays
accepted, a field that was present stays present, with the type that it had. New paths, optional parameters, new fields
and new values of an enumeration in answers break no client that ignores what it does not know. A client that sends the
credentials of one security requirement, or none where none are required, must still be let in.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Schema = Mapping[str, Any]
Direction = Literal["request", "answer"]

METHODS = frozenset({"get", "put", "post", "delete", "options", "head", "patch"})
_UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")


def breaking_changes(old: Schema, new: Schema) -> list[str]:
    """List what clients of the old document cannot do any more, each as one line with its place.

    Parameters
    ----------
    old, new
        OpenAPI 3.1 documents; references are resolved within each.
    """
    return list(_Comparison(old, new).changes())


@dataclass(frozen=True)
class _Comparison:
    old: Schema
    new: Schema

    def changes(self) -> Iterator[str]:
        for path, item in self.old["paths"].items():
            if path not in self.new["paths"]:
                yield f"{path}: the path was removed"
                continue
            for method in METHODS & item.keys():
                place = f"{method.upper()} {path}"
                if method not in self.new["paths"][path]:
                    yield f"{place}: the method was removed"
                    continue
                yield from self._operation(place, item[method], self.new["paths"][path][method])

    def _operation(self, place: str, old: Schema, new: Schema) -> Iterator[str]:
        yield from self._security(place, old, new)
        yield from self._parameters(place, old.get("parameters", ()), new.get("parameters", ()))
        yield from self._body(place, old.get("requestBody"), new.get("requestBody"))
        for status, answer in old["responses"].items():
            if status not in new["responses"]:
                if status < "400":
                    yield f"{place}: answers with status {status} were removed"
                continue
            yield from self._content(f"{place} {status}", answer, new["responses"][status], "answer")

    def _security(self, place: str, old: Schema, new: Schema) -> Iterator[str]:
        accepted = _requirements(self.new, new)
        for credentials in _requirements(self.old, old):
            if not any(required <= credentials for required in accepted):
                names = " and ".join(sorted({" ".join(filter(None, scheme)) for scheme, _ in credentials}))
                yield f"{place}: requests with {names or 'no credentials'} are rejected"

    def _parameters(self, place: str, old: Any, new: Any) -> Iterator[str]:
        before = {(item["in"], item["name"]): item for item in old}
        after = {(item["in"], item["name"]): item for item in new}
        for (kind, name), item in before.items():
            if (kind, name) not in after:
                yield f"{place}: the {kind} parameter {name} was removed"
                continue
            changed = after[kind, name]
            if changed.get("required") and not item.get("required"):
                yield f"{place}: the {kind} parameter {name} became required"
            yield from self._schema(f"{place} {name}", item["schema"], changed["schema"], "request", ())
        for kind, name in after.keys() - before.keys():
            if after[kind, name].get("required"):
                yield f"{place}: the {kind} parameter {name} is new and required"

    def _body(self, place: str, old: Schema | None, new: Schema | None) -> Iterator[str]:
        if old is None:
            if new is not None and new.get("required"):
                yield f"{place}: a body is required"
            return
        if new is None:
            yield f"{place}: the body was removed"
            return
        if new.get("required") and not old.get("required"):
            yield f"{place}: the body became required"
        yield from self._content(f"{place} body", old, new, "request")

    def _content(self, place: str, old: Schema, new: Schema, direction: Direction) -> Iterator[str]:
        for media_type, item in old.get("content", {}).items():
            if media_type not in new.get("content", {}):
                yield f"{place}: the media type {media_type} was removed"
            elif "schema" in item:
                schema = new["content"][media_type].get("schema", {})
                yield from self._schema(place, item["schema"], schema, direction, ())

    def _schema(
        self, place: str, old: Schema | bool, new: Schema | bool, direction: Direction, seen: tuple[str, ...]
    ) -> Iterator[str]:
        old, new = _as_object(old), _as_object(new)
        name = old.get("$ref", "")
        if name in seen:  # a schema within itself
            return
        seen = (*seen, name) if name else seen
        before, after = _alternatives(self.old, old), _alternatives(self.new, new)
        accepted, sent = (after, before) if direction == "request" else (before, after)
        if not all(_is_among(kind, accepted) for kind in sent):
            was, now = (" or ".join(sorted(kinds)) or "none" for kinds in (before, after))
            yield f"{place}: the type was {was} and is {now}"
            return
        for kind in before.keys() & after.keys():
            yield from self._of_one_type(place, before[kind], after[kind], direction, seen)

    def _of_one_type(
        self, place: str, old: Schema, new: Schema, direction: Direction, seen: tuple[str, ...]
    ) -> Iterator[str]:
        if direction == "request":
            yield from _narrowed(place, old, new)
        elif old.get("format") != new.get("format"):
            yield f"{place}: the format was {old.get('format')} and is {new.get('format')}"
        yield from self._fields(place, old, new, direction, seen)
        yield from self._items(place, old, new, direction, seen)
        yield from self._further_fields(place, old, new, direction, seen)

    def _items(
        self, place: str, old: Schema, new: Schema, direction: Direction, seen: tuple[str, ...]
    ) -> Iterator[str]:
        first = max(len(old.get("prefixItems", ())), len(new.get("prefixItems", ())))
        for number in range(first):
            before, after = _item(old, number), _item(new, number)
            yield from self._schema(f"{place}[{number}]", before, after, direction, seen)
            if direction == "answer" and new.get("minItems", 0) <= number < old.get("minItems", 0):
                yield f"{place}[{number}]: the item may be absent"
        if "items" in old or "items" in new:
            yield from self._schema(f"{place}[]", _item(old, first), _item(new, first), direction, seen)

    def _further_fields(
        self, place: str, old: Schema, new: Schema, direction: Direction, seen: tuple[str, ...]
    ) -> Iterator[str]:
        before, after = old.get("additionalProperties", True), new.get("additionalProperties", True)
        if after is False:
            if direction == "request" and before is not False:
                yield f"{place}: further fields are not allowed any more"
            elif direction == "answer" and isinstance(before, Mapping):
                yield f"{place}: further fields were removed"
        elif isinstance(before if direction == "answer" else after, Mapping) and before is not False:
            yield from self._schema(f"{place}.*", before, after, direction, seen)

    def _fields(
        self, place: str, old: Schema, new: Schema, direction: Direction, seen: tuple[str, ...]
    ) -> Iterator[str]:
        before, after = old.get("properties", {}), new.get("properties", {})
        required_before, required_after = set(old.get("required", ())), set(new.get("required", ()))
        for name, schema in before.items():
            if name not in after:
                yield f"{place}: the field {name} was removed"
                continue
            yield from self._schema(f"{place}.{name}", schema, after[name], direction, seen)
            if direction == "request" and name in required_after - required_before:
                yield f"{place}: the field {name} became required"
            if direction == "answer" and name in required_before - required_after:
                yield f"{place}: the field {name} may be absent"
        if direction == "request":
            for name in sorted(required_after - before.keys()):
                yield f"{place}: the field {name} is new and required"


def _requirements(document: Schema, operation: Schema) -> list[frozenset[tuple[tuple[str, ...], str]]]:
    """Return the credentials of each way to be let in, as pairs of scheme and scope; no pair if none are required.

    A scheme is described by what a client sends, not by its name in the document.
    """
    schemes = document.get("components", {}).get("securitySchemes", {})
    found = []
    for requirement in operation.get("security", document.get("security")) or [{}]:
        credentials = set()
        for name, scopes in requirement.items():
            sent = _resolved(document, schemes[name])
            scheme = tuple(sent.get(key, "") for key in ("type", "scheme", "in", "name", "openIdConnectUrl"))
            credentials |= {(scheme, scope) for scope in ("", *scopes)}
        found.append(frozenset(credentials))
    return found


def _as_object(schema: Schema | bool) -> Schema:
    """Return a schema that JSON Schema writes as true (any value) or false (no value) with keywords."""
    if isinstance(schema, bool):
        return {} if schema else {"type": []}
    return schema


def _item(schema: Schema, number: int) -> Schema | bool:
    """Return the schema of an item of an array by its number from 0."""
    if number >= schema.get("maxItems", number + 1):
        return False
    first: list[Schema | bool] = schema.get("prefixItems", [])
    found: Schema | bool = first[number] if number < len(first) else schema.get("items", True)
    return found


def _is_among(kind: str, accepted: Iterable[str]) -> bool:
    return bool({kind, "any"} & set(accepted)) or (kind == "integer" and "number" in accepted)


def _narrowed(place: str, old: Schema, new: Schema) -> Iterator[str]:
    """Yield what fewer values of one type are accepted by."""
    if "enum" in new or "const" in new:
        accepted = new.get("enum", [new.get("const")])
        if "enum" not in old and "const" not in old:
            yield f"{place}: only {', '.join(map(repr, accepted))} are accepted"
        for value in old.get("enum", [old["const"]] if "const" in old else ()):
            if value not in accepted:
                yield f"{place}: the value {value!r} was removed"
    for bounds, sign in ((_UPPER, 1), (_LOWER, -1)):
        for bound in bounds:
            if bound in new and (bound not in old or sign * new[bound] < sign * old[bound]):
                yield f"{place}: {bound} was {old.get(bound, 'absent')} and is {new[bound]}"
    for keyword in ("pattern", "format", "multipleOf"):
        if keyword in new and new[keyword] != old.get(keyword):
            yield f"{place}: {keyword} was {old.get(keyword, 'absent')} and is {new[keyword]}"


def _alternatives(document: Schema, schema: Schema) -> dict[str, Schema]:
    """Return the schemas that a value may have, by its type: `object:NAME` for several objects of one `anyOf`."""
    schema = _resolved(document, schema)
    branches = [
        branch
        for keyword in ("anyOf", "oneOf")
        for branch in (_resolved(document, item) for item in schema.get(keyword, ()))
    ]
    if not branches:
        kinds = schema.get("type", "any")
        return dict.fromkeys([kinds] if isinstance(kinds, str) else kinds, schema)
    found: dict[str, Schema] = {}
    for branch in branches:
        for kind, alternative in _alternatives(document, branch).items():
            found[f"{kind}:{alternative.get('title', len(found))}" if kind in found else kind] = alternative
    return found


def _resolved(document: Schema, schema: Schema) -> Schema:
    while "$ref" in schema:
        found: Any = document
        for name in schema["$ref"].removeprefix("#/").split("/"):
            found = found[name.replace("~1", "/").replace("~0", "~")]
        schema = found
    if len(schema.get("allOf", ())) == 1:
        return {
            **_resolved(document, schema["allOf"][0]),
            **{k: v for k, v in schema.items() if k != "allOf"},
        }
    return schema
