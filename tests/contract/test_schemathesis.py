"""What the OpenAPI document says, tried by schemathesis against the application in this process.

The document is narrowed first to what is to be tried: credentials and ids are those of a small
world, so that requests pass the gates; and a schema is read as the contract reads it, leniently.
"""

import gzip
import json
from functools import cache
from http import HTTPStatus
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.core.result import Ok
from schemathesis.core.transport import Response
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from contract.asgi import call
from contract.office import Office
from contract.test_openapi import KEPT
from contract.test_reports import partner_of
from contract.touring import Tour, sound_body
from contract.world import build
from handbill.api import operations
from handbill.http.operations import Operation
from handbill.wire.queries import parameters

OPERATIONS = operations()
EXAMPLES, OF_HEADERS = 4, 2
"""Of an operation, and of one that reads neither body nor query."""
NOTHING_THERE = {
    "get_stats_file",
    "get_shared_report",
    "accept_invitation",
    "set_up",
    "end_mails",
    "begin_sign_in",
}
"""What needs a link, which no world can name before it is made, or a provider outside."""
NOT_TWICE = {"order_rules", "undo_change", "undo_rule_run"}
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
]
ASKED = [row for row in OPERATIONS if row.body is not None or parameters(row.query)]
OF_EACH_SHAPE = list({(row.body, row.query): row for row in reversed(ASKED)}.values())[::-1]
"""The first operation that reads such a body and query: what one refuses, all refuse."""


def _tried(operation: Operation) -> settings:
    return settings(
        max_examples=EXAMPLES if operation in ASKED else OF_HEADERS,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


# ── the document, narrowed ──────────────────────────────────────────────────────────────────────


def lenient(schema: Any) -> Any:
    """The same schema as contract 3 reads it: words in any case."""
    if not isinstance(schema, dict):
        return schema
    found = {word: _lenient_below(word, inner) for word, inner in schema.items()}
    words = found.pop("enum", None)
    if words is not None:
        texts = [word for word in words if isinstance(word, str)]
        spelled = "|".join("".join(_any_case(letter) for letter in word) for word in texts)
        about = {"description": found.get("description", "")}
        in_words = {"type": "string", "pattern": f"^({spelled})$"}
        others = [{"const": word} for word in words if not isinstance(word, str)]
        return about | {"anyOf": [in_words, *others]}
    return found


def _lenient_below(word: str, inner: Any) -> Any:
    if word == "properties":
        return {name: lenient(below) for name, below in inner.items()}
    if word in {"items", "additionalProperties"}:
        return lenient(inner)
    return [lenient(one) for one in inner] if word in {"anyOf", "oneOf", "allOf"} else inner


def _any_case(letter: str) -> str:
    if letter.isalpha():
        return f"[{letter.lower()}{letter.upper()}]"
    return f"[{letter}]" if letter in "$%#" else letter


def narrowed() -> dict[str, Any]:
    """The document without credentials, which every request here has."""
    found: dict[str, Any] = json.loads(KEPT.read_bytes())
    del found["components"]["securitySchemes"]
    schemas = found["components"]["schemas"]
    schemas |= {name: lenient(schema) for name, schema in schemas.items()}
    for verbs in found["paths"].values():
        for operation in verbs.values():
            del operation["security"]
            if "requestBody" in operation:
                media = operation["requestBody"]["content"]["application/json"]
                media["schema"] = lenient(media["schema"])
                media.pop("example", None)
            for part in operation["parameters"]:
                part["schema"] = lenient(part["schema"])
    return found


@cache
def _by_name() -> dict[str, APIOperation[Any, Any, Any, Any]]:
    """The operations of the narrowed document, read once by a process that tries any of them."""
    schema = schemathesis.openapi.from_dict(narrowed(), config=SchemathesisConfig())
    rows = [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]
    return {row.definition.raw["operationId"]: row for row in rows}


# ── the world ───────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def lasting(module_office: Office) -> Tour:
    return Tour(module_office, build(module_office), partner_of(module_office))


@pytest.fixture
def tour(request: pytest.FixtureRequest, operation: Operation, lasting: Tour) -> Tour:
    """The lasting world, or a new one for what would end it, must name all of it, or is refused
    once another has changed the same.
    """
    if operation.verb != "DELETE" and operation.name not in NOT_TWICE:
        return lasting
    return Tour(lasting.office, build(lasting.office), lasting.partner)


# ── the trial ───────────────────────────────────────────────────────────────────────────────────


def _answered(tour: Tour, case: Case[Any]) -> Response:
    kwargs = case.as_transport_kwargs(base_url="http://127.0.0.1")
    known = {"method", "url", "headers", "params", "json", "data", "cookies"}
    sent = requests.Request(**{key: kwargs[key] for key in known & set(kwargs)}).prepare()
    raw = sent.body.encode() if isinstance(sent.body, str) else sent.body or b""
    assert isinstance(raw, bytes)
    headers = {name: str(value) for name, value in sent.headers.items()}
    reply = call(tour.office.app, case.method, sent.path_url, headers=headers, raw=raw)
    is_zipped = reply.headers.get("content-encoding") == "gzip"
    return Response(
        reply.status,
        {name: [value] for name, value in reply.headers.items()},
        gzip.decompress(reply.raw) if is_zipped else reply.raw,
        sent,
        elapsed=0.0,
        verify=False,
        message=HTTPStatus(reply.status).phrase,
    )


def _grafted(case: Case[Any], sound: Any, turn: int) -> None:
    """The sound body first; then the same with one field in turn as it was made up."""
    made_up = case.body
    if turn % 2 == 1 or sound is None:
        return
    case.body = sound
    if turn and isinstance(sound, dict) and isinstance(made_up, dict) and made_up:
        name = sorted(made_up)[turn % len(made_up)]
        case.body = sound | {name: made_up[name]}


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda row: row.name)
def test_sound_requests(operation: Operation, tour: Tour) -> None:
    ids, headers = tour.bound(operation)
    sound = sound_body(tour, operation)
    codes: list[int] = []
    tried = _by_name()[operation.name].as_strategy(
        generation_mode=GenerationMode.POSITIVE, path_parameters=ids, headers=headers
    )

    @_tried(operation)
    @given(case=tried)
    def trial(case: Case[Any]) -> None:
        _grafted(case, sound, len(codes))
        if "client_id" in case.query:
            case.query["client_id"] = tour.world.ids["client_id"]
        response = _answered(tour, case)
        codes.append(response.status_code)
        case.validate_response(response, checks=CHECKS)

    trial()
    wanted = {404} if operation.name in NOTHING_THERE else {operation.success, 304}
    wanted = {401} if operation.name == "finish_sign_in" else wanted
    assert wanted & set(codes), codes


@pytest.mark.parametrize("operation", OF_EACH_SHAPE, ids=lambda row: row.name)
def test_unsound_requests(operation: Operation, tour: Tour) -> None:
    ids, headers = tour.bound(operation)
    codes: list[int] = []
    tried = _by_name()[operation.name].as_strategy(
        generation_mode=GenerationMode.NEGATIVE, path_parameters=ids, headers=headers
    )

    @_tried(operation)
    @given(case=tried)
    def trial(case: Case[Any]) -> None:
        response = _answered(tour, case)
        codes.append(response.status_code)
        if response.status_code != 413:  # too large to be looked at: of any operation's body
            case.validate_response(response, checks=CHECKS)

    trial()
    assert 400 in codes, codes
