"""Names of the document's schemas: what is equal is one, and others have names of their own."""

from typing import Any

from handbill.http.naming import Names


def test_equal_schemas_are_one_and_others_have_names_of_their_own() -> None:
    words = {"type": "string", "enum": ["a", "b"]}
    names = Names({"Whole": {"type": "object", "properties": {"kind": words}}})
    other = words | {"enum": ["c", None], "type": ["string", "null"]}
    body = {"type": "object", "properties": {"kind": words | {"description": "x"}, "sort": other}}
    assert names.named(body, "Body") == {"$ref": "#/components/schemas/Body"}
    assert names.schemas["Body"]["properties"] == {
        "kind": {"$ref": "#/components/schemas/Kind", "description": "x"},
        "sort": {"anyOf": [{"$ref": "#/components/schemas/Sort"}, {"type": "null"}]},
    }
    assert names.named(body | {"description": "y"}, "Again")["$ref"].endswith("/Body")
    changed = {"type": "object", "properties": {"kind": words | {"enum": ["d"]}}}
    assert names.named(changed, "Changed") == {"$ref": "#/components/schemas/Changed"}
    assert set(names.schemas) == {"Whole", "Kind", "Body", "Sort", "Changed", "ChangedKind"}


def test_maps_of_the_same_are_one() -> None:
    names = Names({})
    texts: dict[str, Any] = {"type": "object", "additionalProperties": {"type": "string"}}
    short: dict[str, Any] = texts | {"maxProperties": 5}
    body = {
        "type": "object",
        "properties": {
            "head": texts | {"description": "x"},
            "job": texts | {"type": ["object", "null"]},
            "kept": short,
            "none": {"type": "object", "maxProperties": 0},
            "mode": {"type": "string", "enum": ["a"], "default": "a"},
        },
    }
    other = {"type": "object", "properties": {"mode": {"enum": ["a"], "type": "string"}}}
    names.named(body, "Body")
    names.named(other, "Other")
    assert set(names.schemas) == {"TextMap", "KeptMap", "Empty", "Mode", "Body", "Other"}
    assert names.schemas["TextMap"] == texts, "what one place says of it is not said of all"
    assert names.schemas["Body"]["properties"]["job"] == {
        "anyOf": [{"$ref": "#/components/schemas/TextMap"}, {"type": "null"}]
    }
    assert names.schemas["Body"]["properties"]["mode"]["default"] == "a"
