"""The OpenAPI 3.1 document, made from the table of operations and nothing else."""

import re
from collections.abc import Container, Iterable, Mapping
from typing import Any, NamedTuple, TypeGuard

from handbill.http.naming import Names, pascal
from handbill.http.openapi_words import ABOUT, ERROR, FAULTS, HEADERS, REFUSALS, SLOTS, TAGS
from handbill.http.operations import Operation
from handbill.kit.jsons import encode
from handbill.wire.bodies import Array, ListOf, OneOrMany
from handbill.wire.described import described
from handbill.wire.models import Model
from handbill.wire.queries import Paged, Query, parameters
from handbill.wire.values import NOT_GIVEN, Schema

_TEXT: Schema = {"type": "string"}


class _Known(NamedTuple):
    """``read``: the paths that have a GET; ``refs``: the name of each model."""

    read: Container[str]
    refs: Mapping[tuple[Any, Any], Schema]
    names: Names

    def body(self, operation: Operation) -> Schema:
        body = operation.body
        assert body is not None, "the operation has a body"
        if isinstance(body, Array):
            return self.names.named(body.schema(), f"{pascal(operation.name)}Body")
        if isinstance(body, OneOrMany):
            return body.schema(self.refs[body.one, "validation"])
        return self.refs[body, "validation"]

    def answer(self, operation: Operation) -> Schema:
        answer = operation.answer
        if isinstance(answer, dict):
            return self.names.named(answer, f"{pascal(operation.name)}Answer")
        if isinstance(answer, ListOf):
            return {"type": "array", "items": self.refs[answer.one, "serialization"]}
        return self.refs[answer, "serialization"]


def _is_model(of: Any) -> TypeGuard[type[Model]]:
    return isinstance(of, type)


def document(operations: Iterable[Operation], version: str) -> dict[str, Any]:
    """The whole document; the same table gives the same bytes."""
    rows = list(operations)
    read = {row.path for row in rows if row.verb == "GET" and row.query is Query}
    refs, schemas = described(
        (one for row in rows if _is_model(one := getattr(row.body, "one", row.body))),
        (one for row in rows if _is_model(one := getattr(row.answer, "one", row.answer))),
    )
    names = Names({"Error": ERROR, "Faults": FAULTS} | schemas)
    known = _Known(read, refs, names)
    paths: dict[str, dict[str, Any]] = {}
    for operation in rows:
        paths.setdefault(operation.path, {})[operation.verb.lower()] = _operation(operation, known)
    used = list(dict.fromkeys(operation.tag for operation in rows))
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Handbill",
            "version": version,
            "description": ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "This installation."}],
        "tags": [{"name": tag, "description": TAGS.get(tag, tag)} for tag in used],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "apiKey": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "x-api-key",
                    "description": "The key of the agency or publisher partner.",
                },
                "token": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "x-authorization-key",
                    "description": "The access_token of POST /token, valid for one day.",
                },
                "session": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A person's session, from POST /sessions.",
                },
            },
            "schemas": names.schemas,
            "responses": {
                name: {
                    "description": about,
                    "content": {
                        "application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}
                    },
                }
                for name, about, schema in REFUSALS.values()
            },
        },
    }


def text(operations: Iterable[Operation], version: str) -> bytes:
    """The document as it is kept in docs/api: indented, one newline at its end."""
    import msgspec

    return msgspec.json.format(encode(document(operations, version)), indent=2) + b"\n"


def _operation(operation: Operation, known: _Known) -> dict[str, Any]:
    written: dict[str, Any] = {
        "operationId": operation.name,
        "tags": [operation.tag],
        "summary": operation.title,
        "description": operation.about,
        "security": _security(operation),
        "parameters": [*_parameters(operation), *_conditions(operation, known.read)],
        "responses": _responses(operation, known),
    }
    if operation.verb == "PUT":
        # Described once, so that generated code has each operation once.
        written["description"] += " PATCH is read as PUT."
        written["x-also-read-as"] = ["PATCH"]
    if operation.body is not None:
        media: dict[str, Any] = {"schema": known.body(operation)}
        if operation.sample is not NOT_GIVEN:
            media["example"] = operation.sample
        written["requestBody"] = {
            "required": operation.must_have_body,
            "content": {"application/json": media},
        }
    return written


def _security(operation: Operation) -> list[dict[str, list[str]]]:
    if operation.role == "public":
        return [{}]
    if operation.role == "key":
        return [{"apiKey": []}]
    if operation.role == "person":
        return [{"session": []}]
    # Since OpenAPI 3.1 any scheme may name the scopes that it needs.
    return [{"apiKey": [], "token": [operation.needs]}, {"session": []}]


def _parameters(operation: Operation) -> list[dict[str, Any]]:
    params = [
        _parameter("path", name, SLOTS.get(name, f"The {name}."), required=True)
        for name in re.findall(r"{(\w+)}", operation.path)
    ]
    if operation.client_header:
        header = "client_id" if operation.client_header == "s2s" else "x-client-id"
        about = "Id of the client. The id of another agency's client is answered with 403."
        if operation.client_header == "s2s":
            about += " client-id and x-client-id are also read; if they differ, the answer is 403."
        params.append(_parameter("header", header, about, required=True))
    params.extend(_query(operation.query))
    if operation.may_be_retried:
        about = "Makes a retry safe. For a day, the same key returns the stored answer."
        bounds = {"minLength": 1, "maxLength": 255}
        params.append(_parameter("header", "Idempotency-Key", about, _TEXT | bounds))
    return params


def _query(query: type[Query]) -> list[dict[str, Any]]:
    return [
        _parameter(
            "query",
            name,
            schema["description"],
            {word: one for word, one in schema.items() if word != "description"},
            required=required,
        )
        for name, (schema, required) in parameters(query).items()
    ]


def _parameter(
    place: str, name: str, about: str, schema: Schema = _TEXT, *, required: bool = False
) -> dict[str, Any]:
    return {
        "name": name,
        "in": place,
        "required": required,
        "schema": schema,
        "description": about,
    }


def _conditions(operation: Operation, read: Container[str]) -> list[dict[str, Any]]:
    """The headers of conditional requests (RFC 9110, 13)."""
    if _is_tagged(operation):
        name, about = "If-None-Match", "ETag of your copy. 304 if the resource is unchanged."
    elif operation.verb in {"PUT", "DELETE"} and operation.path in read:
        name, about = "If-Match", "ETag that was read. 400 if the resource has changed since."
    else:
        return []
    return [_parameter("header", name, about)]


def _is_tagged(operation: Operation) -> bool:
    return operation.verb == "GET" and operation.media_types == ("application/json",)


def _responses(operation: Operation, known: _Known) -> dict[str, Any]:
    success: dict[str, Any] = {
        "description": "Accepted. The result is made in the background."
        if operation.success == 202
        else "Done.",
        "headers": _headers(operation),
        "content": {kind: _media(operation, kind, known) for kind in operation.media_types},
    }
    responses = {str(operation.success): success}
    if _is_tagged(operation):
        responses["304"] = {"description": "Nothing has changed since the ETag of If-None-Match."}
    for status, (name, _, _) in REFUSALS.items():
        if status in refusals_of(operation):
            responses[status] = {"$ref": f"#/components/responses/{name}"}
    return responses


def _headers(operation: Operation) -> dict[str, Any]:
    names = ["x-request-id"]
    names += ["etag"] * _is_tagged(operation)
    names += ["link"] * issubclass(operation.query, Paged)
    names += ["location"] * (operation.success == 202)
    return {name: {"description": HEADERS[name], "schema": _TEXT} for name in names}


def _media(operation: Operation, kind: str, known: _Known) -> dict[str, Any]:
    if kind == "text/plain":
        return {
            "schema": {"const": "NO_CONTENT", "description": "For clients that accept only text."}
        }
    media: dict[str, Any] = {"schema": known.answer(operation)}
    if operation.sample_answer is not NOT_GIVEN:
        media["example"] = operation.sample_answer
    return media


def refusals_of(operation: Operation) -> set[str]:
    """The error codes that an operation can answer (contract 2)."""
    codes = {"400", "500", "503"}
    if operation.role != "public":
        codes.add("401")
    if operation.role in {"agency", "partner"} or operation.name == "create_token":
        codes.add("403")
    if operation.ahead is not None:
        codes.add("401")
    if "{" in operation.path or "client_id" in operation.query.names or operation.body_names:
        codes.add("404")
    return codes
