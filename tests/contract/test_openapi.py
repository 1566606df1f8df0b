"""The OpenAPI document: valid, complete, true to its examples, and the one that is kept."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from jsonschema_rs import Draft202012Validator, Registry, meta
from openapi_spec_validator import OpenAPIV31SpecValidator

from handbill.api import operations
from handbill.http.openapi import text
from handbill.kit.faults import Fault
from handbill.wire.bodies import ReadItems
from handbill.wire.models import Model
from handbill.wire.values import NOT_GIVEN

OPERATIONS = operations()
KEPT = Path(__file__).parents[2] / "docs" / "api" / "openapi.json"
_NAME = "urn:document"


@cache
def _text() -> bytes:
    """Written once by a process that tests it."""
    return text(OPERATIONS, version("handbill"))


@cache
def _document() -> Any:
    return json.loads(_text())


def _operations(document: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, verbs in document["paths"].items():
        for verb, operation in verbs.items():
            yield f"{verb.upper()} {path}", operation


def _undescribed(schema: Any, at: str) -> Iterator[str]:
    """Properties, at any depth, that nothing is said about; a reference is not followed."""
    for name, inner in schema.get("properties", {}).items():
        if not inner.get("description"):
            yield f"{at}/{name}"
        yield from _undescribed(inner, f"{at}/{name}")
    below = [schema.get("items"), schema.get("additionalProperties")]
    below += [inner for word in ("anyOf", "oneOf", "allOf") for inner in schema.get(word, [])]
    for inner in below:
        if isinstance(inner, dict):
            yield from _undescribed(inner, f"{at}/*")


def _media(operation: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for kind, media in operation.get("requestBody", {}).get("content", {}).items():
        yield f"request {kind}", media
    for status, response in operation["responses"].items():
        for kind, media in response.get("content", {}).items():
            yield f"{status} {kind}", media


def _validator(schema: Any) -> Draft202012Validator:
    """Of a schema in the document, to which it refers."""
    return _validator_of(json.dumps(schema).replace('"#/', f'"{_NAME}#/'))


@cache
def _validator_of(schema: str) -> Draft202012Validator:
    """Made once: a spoilt document is the same as the sound one but for a place."""
    return Draft202012Validator(json.loads(schema), registry=_registry())


@cache
def _registry() -> Registry:
    """The document for all: with a copy in each of them they would hold 600 MB."""
    return Registry([(_NAME, _document())])


def _lint_operation(told: str, operation: dict[str, Any]) -> Iterator[str]:
    for word in ("operationId", "summary", "description", "tags", "responses"):
        if not operation.get(word):
            yield f"{told}: no {word}"
    if not re.fullmatch(r"[a-z][a-z0-9_]*", operation["operationId"]):
        yield f"{told}: {operation['operationId']} is no name"
    for parameter in operation["parameters"]:
        few_words = len(parameter.get("description", "").split()) < 3
        if few_words or "type" not in parameter["schema"]:
            yield f"{told}: nothing is said about {parameter['name']}"
    wanted = set(re.findall(r"{(\w+)}", told))
    named = {one["name"] for one in operation["parameters"] if one["in"] == "path"}
    if wanted != named:
        yield f"{told}: the path has {wanted}, the parameters {named}"
    for response in operation["responses"].values():
        for header in response.get("headers", {}).values():
            if not header.get("description"):
                yield f"{told}: a header of which nothing is said"
    for where, media in _media(operation):
        yield from (f"{told} {line}" for line in _undescribed(media["schema"], where))
        if "example" in media:
            validator = _validator(media["schema"])
            bad = validator.iter_errors(media["example"])
            yield from (f"{told} {where}: {error.message}" for error in bad)


def lint(document: Any) -> list[str]:
    """Every warning; none for a document that is fit to be read."""
    found = [line for told, row in _operations(document) for line in _lint_operation(told, row)]
    names = Counter(row["operationId"] for _, row in _operations(document))
    found += [f"{name} is there {count} times" for name, count in names.items() if count > 1]
    tags = {tag["name"]: tag["description"] for tag in document["tags"]}
    found += [f"tag {name}: not described" for name, about in tags.items() if about in {"", name}]
    used = {tag for _, row in _operations(document) for tag in row["tags"]}
    found += [f"tag {name} is unknown" for name in used - set(tags)]
    schemas = document["components"]["schemas"].items()
    found += [line for name, schema in schemas for line in _undescribed(schema, name)]
    return found


def test_it_is_openapi_3_1() -> None:
    assert _document()["openapi"].startswith("3.1.")
    assert [str(bad) for bad in OpenAPIV31SpecValidator(_document()).iter_errors()] == []


def test_the_lint_warns_of_nothing() -> None:
    assert lint(_document()) == []


_WORDS = {
    "$ref",
    "additionalProperties",
    "allOf",
    "anyOf",
    "const",
    "description",
    "enum",
    "format",
    "items",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minItems",
    "minLength",
    "minimum",
    "oneOf",
    "pattern",
    "properties",
    "propertyNames",
    "required",
    "type",
    "uniqueItems",
    "writeOnly",
}


def _words(schema: dict[str, Any]) -> Iterator[str]:
    yield from schema
    below = [*schema.get("properties", {}).values()]
    below += [schema["items"]] if "items" in schema else []
    below += [inner for word in ("anyOf", "oneOf", "allOf") for inner in schema.get(word, [])]
    for inner in below:
        yield from _words(inner)


def test_every_schema_is_json_schema() -> None:
    for _, operation in _operations(_document()):
        for _, media in _media(operation):
            meta.validate(media["schema"])
    for schema in _document()["components"]["schemas"].values():
        meta.validate(schema)
        assert set(_words(schema)) <= _WORDS, "a word that nobody knows"


def test_all_that_can_be_called_is_in_it() -> None:
    wanted = {
        f"{verb} {row.path}"
        for row in OPERATIONS
        for verb in ((row.verb, "PATCH") if row.verb == "PUT" else (row.verb,))
    }
    told = {told for told, _ in _operations(_document())}
    told |= {
        told.replace("PUT", verb)
        for told, row in _operations(_document())
        for verb in row.get("x-also-read-as", ())
    }
    assert told == wanted
    assert {row.number for row in OPERATIONS} - {None} == set(range(1, 61))


def test_every_body_field_has_its_rule() -> None:
    """At the source: a field without words is named with its operation."""
    bodies = {row.name: getattr(row.body, "one", row.body) for row in OPERATIONS if row.body}
    models = {
        name: body
        for name, body in bodies.items()
        if isinstance(body, type) and issubclass(body, Model)
    }
    assert len(models) > 30
    bare = [
        f"{operation}: {name}"
        for operation, model in models.items()
        for name, row in model.model_fields.items()
        if not row.description
    ]
    assert bare == []


def test_every_operation_with_a_body_has_an_example() -> None:
    assert [row.name for row in OPERATIONS if row.body and row.sample is NOT_GIVEN] == []


def test_every_operation_that_answers_json_has_an_example_of_it() -> None:
    in_json = [row for row in OPERATIONS if "application/json" in row.media_types]
    assert len(in_json) > 100
    assert [row.name for row in in_json if row.sample_answer is NOT_GIVEN] == []


def _body_of(name: str) -> tuple[Any, Draft202012Validator]:
    """An operation's shape, and what a validator makes of the document."""
    (operation,) = (row for row in OPERATIONS if row.name == name)
    media = _document()["paths"][operation.path][operation.verb.lower()]["requestBody"]["content"]
    return operation.body, _validator(media["application/json"]["schema"])


_CAPS = {"budget": {"cap": "Monthly", "value": 5, "thresholdP": 70}}
_FREQ = {"budget": {"freq": "Monthly", "value": 5, "threshold": 70}}
_ALL = {"operator": "AND", "rules": [{"operator": "EQUAL", "field": "city", "data": "Rome"}]}
_ANY = _ALL | {"operator": "ALL"}
_DAYS_OLD = {"operator": "LESS_THAN", "field": "postedDate", "data": "7"}
_GROUP = {"name": "g", "filters": _ALL, "caps": _CAPS, "placements": [{"value": "P"}]}
_JOB = {"refNumber": "1", "title": "t"}
_S2S = {"clickId": "c", "a": "3"}


@pytest.mark.parametrize(
    ("name", "canonical", "spelled"),
    [
        ("create_campaign", {"name": "c", "caps": _CAPS}, {"name": "c", "Caps": _FREQ}),
        ("update_campaign", {"caps": _CAPS}, {"Caps": _FREQ}),
        ("create_jobgroup", _GROUP, _GROUP | {"filters": _ANY, "caps": _FREQ}),
        ("create_jobgroup", _GROUP, _GROUP | {"Caps": _CAPS, "caps": _CAPS, "priority": None}),
        (
            "create_jobgroup",
            _GROUP | {"filters": _ALL | {"rules": [_DAYS_OLD]}},
            _GROUP | {"filters": _ALL | {"rules": [_DAYS_OLD | {"data": 7}]}},
        ),
        (
            "update_jobgroup",
            {"filters": _ALL, "placements": [{"value": "P", "is_active": False}]},
            {"Compound Filters": _ANY, "placements": [{"value": "P", "isActive": False}]},
        ),
        ("add_job", _JOB | {"jobType": "X"}, _JOB | {"type": "X"}),
        (
            "add_job",
            _JOB | {"publishedDate": "2026-11-01", "placementSettings": [{"value": "P"}]},
            _JOB | {"pubDate": "2026-11-01", "placementSettings": [{"value": "P"}]},
        ),
        (
            "add_job",
            _JOB | {"placementSettings": [{"value": "P", "isActive": True}]},
            _JOB | {"placementSettings": [{"value": "P", "is_active": True}]},
        ),
        (
            "create_publisher",
            {"id": "P", "bidType": "CPA", "schema": {"jobSchema": {"postedDate": "d"}}},
            {"value": "P", "bidType": {"name": "CPA"}, "schema": {"jobSchema": {"date": "d"}}},
        ),
        ("send_s2s_events", [_S2S], [_S2S | {"a": 3}]),
        ("send_s2s_events", [_S2S], _S2S | {"candidateId": None}),
    ],
)
def test_every_spelling_is_read_as_the_one_in_the_document(
    name: str, canonical: Any, spelled: Any
) -> None:
    """One spelling is described; the others are read, and stand in the description."""
    shape, validator = _body_of(name)
    assert [error.message for error in validator.iter_errors(canonical)] == []
    faults: list[Fault] = []
    wanted = shape.read(canonical, "", faults)
    found = shape.read(spelled, "", faults)
    assert faults == []
    assert _meant(found) == _meant(wanted)


def _meant(read: Any) -> Any:
    """What a body comes to: null says what absence says, and one what an array of it says."""
    if isinstance(read, dict):
        return {key: value for key, value in read.items() if value is not None}
    return read.items if isinstance(read, ReadItems) else read


def test_a_spelling_too_few_or_unsound_is_refused_by_both() -> None:
    shape, validator = _body_of("create_jobgroup")
    for placement in ({}, {"pValue": None}, {"value": 7, "pValue": "P"}, {"publisherId": ""}):
        faults: list[Fault] = []
        body = _GROUP | {"placements": [placement]}
        shape.read(body, "", faults)
        assert faults
        assert list(validator.iter_errors(body))


@pytest.mark.parametrize("name", ["pValue", "publisherId"])
def test_other_spellings_of_what_is_required_are_read_and_named(name: str) -> None:
    shape, _ = _body_of("create_jobgroup")
    faults: list[Fault] = []
    assert shape.read(_GROUP | {"placements": [{name: "P"}]}, "", faults) == shape.read(
        _GROUP, "", faults
    )
    assert faults == []
    row = _document()["components"]["schemas"]["NewPlacement"]["properties"]["value"]
    assert name in row["description"]


def test_the_kept_document_is_this_one() -> None:
    assert KEPT.read_bytes() == _text(), "make docs writes it again"


def _resolved(schema: Any, document: Any) -> Any:
    """The schema that a reference is to, or which it is."""
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def _spoilt(path: str) -> Any:
    spoilt = json.loads(_text())
    *steps, last = path.split("|")
    at = spoilt
    for step in steps:
        at = at[int(step)] if isinstance(at, list) else _resolved(at, spoilt)[step]
    del _resolved(at, spoilt)[last]
    return spoilt


@pytest.mark.parametrize(
    "path",
    [
        "paths|/clients|post|summary",
        "paths|/clients|post|description",
        "paths|/clients|get|parameters|0|description",
        "paths|/clients|post|requestBody|content|application/json|example|companyName",
        "components|schemas|Budget-Input|properties|value|description",
        "components|schemas|ClientRow|properties|id|description",
    ],
)
def test_the_lint_finds_what_is_missing(path: str) -> None:
    assert len(lint(_spoilt(path))) == 1


def test_every_object_and_every_list_of_words_has_a_name() -> None:
    for _, operation in _operations(_document()):
        for where, media in _media(operation):
            inline = [one for one in _below(media["schema"]) if {"properties", "enum"} & one.keys()]
            assert inline == [], (operation["operationId"], where)
    for name, schema in _document()["components"]["schemas"].items():
        inline = [one for one in _below(schema) if {"properties", "enum"} & one.keys()]
        assert [one for one in inline if one is not schema] == [], name
        assert not re.search(r"\d$", name), name


def _below(schema: Any) -> Iterator[dict[str, Any]]:
    """The schema and all in it, as far as no reference leads away."""
    yield schema
    within = [*schema.get("properties", {}).values()]
    within += [
        schema[word]
        for word in ("items", "additionalProperties")
        if isinstance(schema.get(word), dict)
    ]
    within += [one for word in ("anyOf", "oneOf", "allOf") for one in schema.get(word, [])]
    for one in within:
        yield from _below(one)


@pytest.mark.parametrize(
    ("operation", "names"),
    [
        ("POST /clients", ("atsUrl", "ats", "country", "industry", "sjCreate")),
        ("POST /publishers", ("country", "industry", "placementAlias")),
        (
            "POST /clients/{client_id}/publishers/{publisher_id}/configs",
            ("billingType", "purchaseType"),
        ),
        (
            "POST /clients/{client_id}/campaigns/{campaign_id}/jobgroups",
            ("ioDetails",),
        ),
    ],
)
def test_what_is_kept_and_does_nothing_says_so(operation: str, names: tuple[str, ...]) -> None:
    asked = dict(_operations(_document()))[operation]["requestBody"]["content"]["application/json"]
    schema = asked["schema"]
    if "$ref" in schema:
        schema = _document()["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    for name in names:
        assert "nothing acts on it" in schema["properties"][name]["description"], name
