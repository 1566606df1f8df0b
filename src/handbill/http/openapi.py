"""The OpenAPI 3.1 document, made from the table of operations and nothing else."""

import re
from collections.abc import Iterable
from typing import Any

from handbill.http.operations import Operation
from handbill.kit.jsons import encode
from handbill.wire.shapes import NOT_GIVEN, Object, Schema

_ERROR: Schema = {
    "type": "object",
    "description": "Why the request was refused.",
    "properties": {
        "message": {"type": "string", "description": "What went wrong, in a few words."},
        "requestId": {"type": "string", "description": "Quote it when you ask for help."},
    },
    "required": ["message", "requestId"],
}
_FAULTS: Schema = {
    "type": "object",
    "description": "Every fault of the request, named by field.",
    "properties": _ERROR["properties"]
    | {
        "errors": {
            "type": "array",
            "description": "All faults, gathered.",
            "items": {
                "type": "object",
                "properties": {
                    "field": {"type": "string", "description": "JSON pointer of the field."},
                    "message": {"type": "string", "description": "What is wrong with it."},
                },
                "required": ["field", "message"],
            },
        }
    },
    "required": ["message", "requestId", "errors"],
}
_REFUSALS = {
    "400": ("BadRequest", "The request breaks a rule; errors names every fault.", "Faults"),
    "401": ("Unauthorized", "x-api-key is missing or bad.", "Error"),
    "403": ("Forbidden", "The token, the role or the client of a header is bad.", "Error"),
    "404": ("NotFound", "No such thing of yours.", "Error"),
    "500": ("ServerError", "A fault of ours; it is safe to try again.", "Error"),
}
_ABOUT = (
    "Programmatic job advertising: clients, jobs, campaigns, job groups, feeds and stats. "
    "Send x-api-key always and, but for the token itself, x-authorization-key: the access_token "
    "of POST /token. Every error answers {message, requestId}, on 400 with errors[]."
)
_TAGS = {
    "Access": "Tokens, and the keys they are asked for with.",
    "Clients": "An agency's clients: the employers whose jobs are advertised.",
    "Jobs": "Jobs of a client, from feeds or added here.",
    "Campaigns": "Campaigns of a client: dates, budgets and overrides.",
    "Job groups": "Which jobs go where, for how much, up to what.",
    "Feeds": "Inbound XML feeds, their runs and their faults.",
    "Publishers": "Where jobs are advertised, and the outbound feed of each publisher.",
    "Stats": "Reports of clicks, applies and spend.",
    "Reports": "Reports of one file, and the callbacks that tell of them.",
    "Publisher partners": "Reports for publisher families, with their own keys.",
    "Meta": "The names of campaigns and job groups.",
    "Posting configs": "Slots and durations bought at a publisher.",
    "Posting jobs": "The jobs that take a posting's places.",
    "Rules": "Automation rules: kept and checked; they do not run yet.",
    "Funnel": "What became of applications: stages and hires.",
    "Service": "Whether the service lives and what it offers.",
    "Events": "Conversions, server to server.",
}


def document(operations: Iterable[Operation], version: str) -> dict[str, Any]:
    """The whole document; the same table gives the same bytes."""
    rows = list(operations)
    paths: dict[str, dict[str, Any]] = {}
    for operation in rows:
        verbs = ("PUT", "PATCH") if operation.verb == "PUT" else (operation.verb,)
        for verb in verbs:
            paths.setdefault(operation.path, {})[verb.lower()] = _operation(operation, verb)
    used = list(dict.fromkeys(operation.tag for operation in rows))
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Handbill",
            "version": version,
            "description": _ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "This installation."}],
        "tags": [{"name": tag, "description": _TAGS.get(tag, tag)} for tag in used],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "apiKey": {
                    "type": "apiKey", "in": "header", "name": "x-api-key",
                    "description": "The key of the agency or publisher partner.",
                },
                "token": {
                    "type": "apiKey", "in": "header", "name": "x-authorization-key",
                    "description": "The access_token of POST /token; lasts a day.",
                },
            },
            "schemas": {"Error": _ERROR, "Faults": _FAULTS},
            "responses": {
                name: {
                    "description": about,
                    "content": {
                        "application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}
                    },
                }
                for name, about, schema in _REFUSALS.values()
            },
        },
    }  # fmt: skip


def text(operations: Iterable[Operation], version: str) -> bytes:
    """The document as it is kept in docs/api: indented, one newline at its end."""
    import json

    return (
        json.dumps(_plain(document(operations, version)), indent=2, ensure_ascii=False).encode()
        + b"\n"
    )


def _plain(value: Any) -> Any:
    import msgspec

    return msgspec.json.decode(encode(value))


def _operation(operation: Operation, verb: str) -> dict[str, Any]:
    name = operation.name if verb != "PATCH" else f"{operation.name}_partly"
    found: dict[str, Any] = {
        "operationId": name,
        "tags": [operation.tag],
        "summary": operation.title,
        "description": operation.about,
        "security": _security(operation),
        "parameters": _parameters(operation, verb),
        "responses": _responses(operation),
    }
    if operation.body is not None:
        media: dict[str, Any] = {"schema": operation.body.schema()}
        if operation.sample is not NOT_GIVEN:
            media["example"] = operation.sample
        found["requestBody"] = {"required": True, "content": {"application/json": media}}
    return found


def _security(operation: Operation) -> list[dict[str, list[str]]]:
    if operation.role == "public":
        return [{}]
    if operation.role == "key":
        return [{"apiKey": []}]
    return [{"apiKey": [], "token": []}]


def _parameters(operation: Operation, verb: str) -> list[dict[str, Any]]:
    found = [
        {
            "name": name, "in": "path", "required": True, "schema": {"type": "string"},
            "description": f"The {name.replace('_', ' ')}.",
        }
        for name in re.findall(r"{(\w+)}", operation.path)
    ]  # fmt: skip
    if operation.client_header:
        header = "client_id" if operation.client_header == "s2s" else "x-client-id"
        found.append({
            "name": header, "in": "header", "required": True, "schema": {"type": "string"},
            "description": "The client in question.",
        })  # fmt: skip
    found.extend(_query(operation.query))
    if verb == "POST" and operation.role in {"agency", "partner"} and not operation.slow:
        found.append({
            "name": "Idempotency-Key", "in": "header", "required": False,
            "schema": {"type": "string", "minLength": 1, "maxLength": 255},
            "description": "Makes a retry safe: the same key answers the stored answer for a day.",
        })  # fmt: skip
    return found


def _query(query: Object) -> list[dict[str, Any]]:
    return [
        {
            "name": name, "in": "query", "required": known.required,
            "schema": known.shape.schema(), "description": known.about or f"The {name}.",
        }
        for name, known in query.fields.items()
    ]  # fmt: skip


def _responses(operation: Operation) -> dict[str, Any]:
    success: dict[str, Any] = {"description": "Done."}
    if operation.answer is not None:
        media: dict[str, Any] = {"schema": operation.answer}
        if operation.sample_answer is not NOT_GIVEN:
            media["example"] = operation.sample_answer
        success["content"] = {"application/json": media}
    found = {str(operation.success): success}
    for status, (name, _, _) in _REFUSALS.items():
        if status in refusals_of(operation):
            found[status] = {"$ref": f"#/components/responses/{name}"}
    return found


def refusals_of(operation: Operation) -> set[str]:
    """The error codes that an operation can answer (contract 2)."""
    codes = {"400", "500"}
    if operation.role != "public":
        codes.add("401")
    if operation.role in {"agency", "partner"} or operation.name == "create_token":
        codes.add("403")
    if "{" in operation.path or "client_id" in operation.query.fields:
        codes.add("404")
    return codes
