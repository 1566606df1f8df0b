"""The OpenAPI 3.1 document, made from the table of operations and nothing else."""

import re
from collections.abc import Container, Iterable, Mapping
from typing import Any, NamedTuple, TypeGuard

from handbill.http.naming import Names, pascal
from handbill.http.operations import Operation
from handbill.kit.jsons import encode
from handbill.wire.bodies import Array, ListOf, OneOrMany
from handbill.wire.described import described
from handbill.wire.models import Model
from handbill.wire.queries import Paged, Query, parameters
from handbill.wire.values import NOT_GIVEN, Schema

_ERROR: Schema = {
    "type": "object",
    "description": "Why the request was refused.",
    "properties": {
        "message": {"type": "string", "description": "Description of the fault."},
        "requestId": {
            "type": "string",
            "description": "Id of the request. Quote it when you ask for help.",
        },
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
            "description": "All faults of the request.",
            "items": {
                "type": "object",
                "properties": {
                    "field": {"type": "string", "description": "JSON pointer of the field."},
                    "message": {"type": "string", "description": "Description of the fault."},
                },
                "required": ["field", "message"],
            },
        }
    },
    "required": ["message", "requestId", "errors"],
}
_REFUSALS = {
    "400": ("BadRequest", "The request is invalid. errors contains all faults.", "Faults"),
    "401": (
        "Unauthorized",
        "The API key (header x-api-key) or the session is missing or invalid.",
        "Error",
    ),
    "403": (
        "Forbidden",
        "The token (x-authorization-key), its role or scope or the client is missing or bad.",
        "Error",
    ),
    "404": ("NotFound", "Not found, or not accessible to the caller.", "Error"),
    "500": ("ServerError", "An internal error. The request may be repeated safely.", "Error"),
    "503": ("Unavailable", "A temporary problem. Try again after Retry-After.", "Error"),
}
_SLOTS = {
    "client_id": "The client's id, as returned by POST /clients. Foreign, deleted and unknown ids "
    "in a path all get the same 404.",
    "campaign_id": "The campaign's id; it must belong to the client in the path.",
    "jobgroup_id": "The job group's id; it must belong to the campaign in the path.",
    "feed_id": "The feed's id; it must belong to the client in the path.",
    "run_id": "The run's id; it must belong to the feed in the path.",
    "config_id": "The config's id; it must belong to the client and publisher in the path.",
    "publisher_id": "The publisher's id, such as TestExp1.",
    "click_id": "The click's jClickId, or its 32 hex digits as the ledger's export has them.",
    "job_reference": "The job's refNumber, percent-encoded; a slash in it as %2F.",
    "rule_id": "The rule's id; it must belong to the client in the header.",
    "rule_run_id": "The run's id; it must belong to the rule in the path.",
    "hold_id": "The hold's id; it must belong to the client in the path.",
    "batch_id": "The value returned by POST /funnel.",
    "taskId": "The taskId returned by POST /stats.",
    "rate_id": "The rate's id, as returned by GET /rates.",
    "markup_id": "The markup's id, as returned by POST /markups.",
    "change_id": "The change's number, as returned by GET /changes.",
    "callback_id": "The callback's id, as returned by GET /callbacks.",
    "report_id": "The reportId returned by the request for the report.",
    "reportId": "The reportId returned by the request for the report.",
    "publisherFamilyId": "The family's id; only the caller's own is accepted.",
    "publisher_family_id": "The family's id: 24 hex digits.",
    "question_id": "The question's id; it must belong to the client in the path.",
    "link": "The secret of the link.",
    "token": "The signed part of a link to a file.",
    "agency_id": "The agency's id. Only the caller's own id is accepted.",
    "prefix": "The first part of the key, which identifies it and is not secret.",
    "person_id": "The person's id: 24 hex digits.",
    "api_client_id": "The API client's id: 25 lower-case letters and digits.",
}
_HEADERS = {
    "x-request-id": "Id of the request, for logs and support. If you sent one, it is used.",
    "etag": "Version of the resource, for If-None-Match and If-Match.",
    "link": "The first, previous and next page (RFC 8288), if they exist.",
    "location": "Address of the result.",
}
_ABOUT = (
    "Programmatic job advertising: clients, jobs, campaigns, job groups, feeds and stats. Send "
    "x-api-key always and, except for POST /token, x-authorization-key: the access_token of POST "
    "/token. A person sends a session of POST /sessions instead of both, as Authorization: Bearer. "
    "Every error answers {message, requestId}, on 400 with errors[]. Unknown fields are "
    "ignored; values of a fixed list are read in any case; null on an optional field counts as "
    "absent in a create and clears the field in an update. A PUT changes the fields that it names "
    "and leaves the others; PATCH is the same. A token has the scope of its API client: read, "
    "write or both. Each operation names the scope that it needs, and answers 403 without it. "
    "A body may be sent with Content-Encoding gzip or deflate; limits hold for it unpacked, too."
)
_TAGS = {
    "Access": "Access tokens, API keys, API clients and the agency.",
    "People": "People who sign in: their roles, sessions and invitations. Additions to the "
    "contract.",
    "Clients": "An agency's clients: the employers whose jobs are advertised.",
    "Jobs": "Jobs of a client, from feeds or added here.",
    "Campaigns": "Campaigns of a client: dates, budgets and overrides.",
    "Job groups": "Job groups: which jobs are published where, at which bids and within which "
    "caps.",
    "Feeds": "Inbound XML feeds, their runs and their faults.",
    "Publishers": "Publishers and their outbound feeds.",
    "Click definitions": "Defines which clicks of a publisher are payable, for all clients or for"
    " one.",
    "Stats": "Reports of clicks, applies and spend.",
    "Reports": "Single-file reports, and their callbacks.",
    "Publisher partners": "Reports for publisher families, with their own keys.",
    "Meta": "The names of campaigns and job groups.",
    "Posting configs": "Slots and durations bought at a publisher.",
    "Posting jobs": "The jobs that take a posting's places.",
    "Rates": "Rates of exchange, by day.",
    "Markups": "Markups on the spend of an agency's customers.",
    "Rules": "Automation rules. They pause, resume and change budgets and bids when their "
    "conditions are met.",
    "Changes": "Who changed what, and when. Additions to the contract.",
    "Funnel": "Status changes of applications: stages and hires.",
    "Installation": "How the installation runs, for its operator. An addition to the contract.",
    "Service": "Whether the service lives and what it offers.",
    "Events": "Conversions, server to server.",
}


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
    names = Names({"Error": _ERROR, "Faults": _FAULTS} | schemas)
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
            "description": _ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "This installation."}],
        "tags": [{"name": tag, "description": _TAGS.get(tag, tag)} for tag in used],
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
                for name, about, schema in _REFUSALS.values()
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
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string"},
            "description": _SLOTS.get(name, f"The {name}."),
        }
        for name in re.findall(r"{(\w+)}", operation.path)
    ]
    if operation.client_header:
        header = "client_id" if operation.client_header == "s2s" else "x-client-id"
        about = "Id of the client. The id of another agency's client is answered with 403."
        if operation.client_header == "s2s":
            about += " client-id and x-client-id are also read; if they differ, the answer is 403."
        params.append(
            {
                "name": header,
                "in": "header",
                "required": True,
                "schema": {"type": "string"},
                "description": about,
            }
        )
    params.extend(_query(operation.query))
    if operation.may_be_retried:
        params.append(
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": False,
                "schema": {"type": "string", "minLength": 1, "maxLength": 255},
                "description": "Makes a retry safe. For a day, the same key returns the stored "
                "answer.",
            }
        )
    return params


def _query(query: type[Query]) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "in": "query",
            "required": required,
            "schema": {word: one for word, one in schema.items() if word != "description"},
            "description": schema["description"],
        }
        for name, (schema, required) in parameters(query).items()
    ]


def _conditions(operation: Operation, read: Container[str]) -> list[dict[str, Any]]:
    """The headers of conditional requests (RFC 9110, 13)."""
    if _is_tagged(operation):
        name, about = "If-None-Match", "ETag of your copy. 304 if the resource is unchanged."
    elif operation.verb in {"PUT", "DELETE"} and operation.path in read:
        name, about = "If-Match", "ETag that was read. 400 if the resource has changed since."
    else:
        return []
    return [
        {
            "name": name,
            "in": "header",
            "required": False,
            "schema": {"type": "string"},
            "description": about,
        }
    ]


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
    for status, (name, _, _) in _REFUSALS.items():
        if status in refusals_of(operation):
            responses[status] = {"$ref": f"#/components/responses/{name}"}
    return responses


def _headers(operation: Operation) -> dict[str, Any]:
    names = ["x-request-id"]
    names += ["etag"] * _is_tagged(operation)
    names += ["link"] * issubclass(operation.query, Paged)
    names += ["location"] * (operation.success == 202)
    return {name: {"description": _HEADERS[name], "schema": {"type": "string"}} for name in names}


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
