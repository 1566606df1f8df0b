"""Rows of a model: read with all faults gathered, told without being checked again, described."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, Self

import pytest
from pydantic import AliasChoices, Field, model_validator

from handbill.kit.faults import Fault, bad_request, step_of
from handbill.kit.jsons import decode, encode
from handbill.wire.bodies import OneOrMany
from handbill.wire.described import described
from handbill.wire.fields import Distinct, Id, Instant, Money, Percent, TextOrDigits, Whole
from handbill.wire.models import Model, partial, spelled, together
from handbill.wire.pointers import pointed_out, pointers
from handbill.wire.queries import Query, parameters
from handbill.wire.words import AnyCase
from handbill.wire.wrong import UNSAID, Wrong, WrongBeside


class Slot(NamedTuple):
    publisher_id: str
    ppm: int = 0


class SlotRows(Model):
    makes = Slot
    publisher_id: Id = Field(
        alias="value",
        validation_alias=AliasChoices("value", "pValue", "publisherId"),
        description="The publisher's id.",
    )
    ppm: Annotated[int, Percent()] = Field(0, alias="markdown", description="Percent taken off.")


class Rows(Model):
    name: Id = Field(description="Its name.")
    bid_micros: Money = Field(0, alias="a/b", description="The bid.")
    size: Annotated[int, Whole(1, 5)] = Field(1, description="Its size.")
    kind: Annotated[Literal["A", "P"], AnyCase()] = Field("A", description="Its kind.")
    slots: Distinct[SlotRows] = Field([], max_length=3, description="Where.")


Change = partial(Rows, "RowsChange")


class Told(Rows):
    at: Instant = Field(description="When.")


def read(of: type[Model], value: Any) -> tuple[Any, list[str]]:
    faults: list[Fault] = []
    found = of.read(decode(encode(value)), "", faults)
    return found, [f"{fault.field} {fault.message}" for fault in faults]


def test_every_fault_is_gathered_and_named() -> None:
    slots = [{"pValue": 7}, {"value": "x", "markdown": 100.5}, None]
    body = {"size": 6, "kind": "x", "a/b": -1, "slots": slots, "unknown": 1}
    assert read(Rows, body)[1] == [
        "/name is required",
        "/a~1b must not be negative",
        "/size must be at most 5",
        "/kind must be one of A, P",
        "/slots/0/pValue must be a string",
        "/slots/1/markdown must be between 0 and 100",
        "/slots/2 must be an object",
    ]
    assert read(Rows, {"name": None, "slots": {}})[1] == [
        "/name is required",
        "/slots must be an array",
    ]
    assert read(Rows, {"name": " "})[1] == ["/name must not be blank"]
    assert read(Rows, [])[1] == [" must be an object"]
    same = [{"value": "x"}, {"publisherId": "x", "markdown": 0}]
    assert read(Rows, {"name": "n", "slots": [*same, {"value": "y"}]})[1] == [
        "/slots/1 is given twice"
    ]
    assert read(Rows, {"name": "n", "slots": [None] * 1_001})[1] == [
        "/slots must have at most 1000 items"
    ]


class Span(Model):
    begin: Annotated[int, Whole()] = Field(0, description="Begin.")
    end: Annotated[int, Whole()] = Field(9, description="End.")
    why: Id = Field("", description="Why.")
    how: Id = Field("", description="How.")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.begin > self.end:
            raise Wrong(Fault("/end", "must not be before begin"))
        if self.how and not self.why:
            raise WrongBeside(Fault("/how", "needs a why"))
        return self


class Spans(Model):
    top: Id = Field(description="Its name.")
    spans: Distinct[Span] = Field([], description="Some.")
    one: Span | None = Field(None, description="One.")


def test_what_is_wrong_of_rows_together_is_told_with_what_is_wrong_of_one() -> None:
    turned = {"begin": 2, "end": 1}
    body = {"top": "x", "spans": [turned | {"why": 7}, turned], "one": turned | {"how": ""}}
    assert set(read(Spans, body)[1]) == {
        "/spans/0/why must be a string",
        "/spans/0/end must not be before begin",
        "/spans/1/end must not be before begin",
        "/one/how must not be empty",
        "/one/end must not be before begin",
    }


class Priced(Model):
    cost: Annotated[int, Whole()] = Field(description="Cost.")
    least: Annotated[int, Whole()] = Field(description="The least.")
    form: Annotated[Literal["A", "P"], AnyCase()] = Field("A", description="Form.")
    text: str = Field(description="By its form.")

    @together("cost", "least")
    def _enough(self) -> None:
        if self.cost < self.least:
            raise Wrong(Fault("/cost", "must not be below least"))

    @together("text")
    def _formed(self) -> None:
        if not self.text.startswith(self.form):
            raise WrongBeside(Fault("/text", f"must begin with {self.form}"), of="/form")


class Listed(Model):
    top: Span = Field(description="A span.")
    prices: list[Priced] = Field([], description="Prices.")
    named: dict[str, Priced] | None = Field(None, description="The same by name.")


def test_a_required_row_that_is_wrong_hides_nothing_beside_it() -> None:
    turned = {"begin": 2, "end": 1}
    low = {"cost": 1, "least": 2}
    assert read(Listed, {"top": turned, "prices": [low, low | {"text": 7}, {"cost": "x"}]})[1] == [
        "/top/end must not be before begin",
        "/prices/0/text is required",
        "/prices/1/text must be a string",
        "/prices/2/cost must be an integer",
        "/prices/2/least is required",
        "/prices/2/text is required",
        "/prices/0/cost must not be below least",
        "/prices/1/cost must not be below least",
    ]
    assert read(Listed, {"named": {"one": low, "two": {"text": "P"}}})[1] == [
        "/top is required",
        "/named/one/text is required",
        "/named/two/cost is required",
        "/named/two/least is required",
        "/named/one/cost must not be below least",
        "/named/two/text must begin with A",
    ]


def test_what_depends_on_one_row_is_told_unless_that_one_is_wrong() -> None:
    priced = {"cost": 1, "text": "P"}
    assert read(Priced, priced | {"form": "B"})[1] == [
        "/least is required",
        "/form must be one of A, P",
    ]
    assert read(Priced, priced)[1] == ["/least is required", "/text must begin with A"]


def test_what_is_left_out_makes_no_faults_of_its_own() -> None:
    assert read(Spans, {"top": "x", "one": {"why": 7, "how": "so"}})[1] == [
        "/one/why must be a string"
    ]
    assert read(Spans, {"top": "x", "one": {"how": "so"}})[1] == ["/one/how needs a why"]
    assert read(Spans, {"top": 7, "one": {"begin": "a", "end": -5}})[1] == [
        "/top must be a string",
        "/one/begin must be an integer",
        "/one/end must be at least 0",
    ]


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        ("name", 1),
        ("name", ""),
        ("name", "x" * 201),
        ("a/b", "1"),
        ("a/b", True),
        ("a/b", Decimal("0.0000001")),
        ("size", True),
        ("size", "1"),
        ("size", Decimal("1.5")),
        ("size", 0),
        ("kind", None),
        ("kind", 1),
        ("slots", [{}] * 4),
    ],
)
def test_refused(name: str, bad: Any) -> None:
    faults = read(Rows, {"name": "n"} | {name: bad})[1]
    assert [fault.split()[0] for fault in faults][:1] == (
        [f"/{name.replace('/', '~1')}"] if bad is not None else []
    )


def test_a_fault_of_a_kind_that_has_no_words_yet_is_a_fault_all_the_same() -> None:
    class Odd(Model):
        on: date = Field(description="A type that no row has.")

    assert read(Odd, {"on": 7})[1] == [f"/on {UNSAID}"]


def test_of_many_each_is_read_and_enough_is_told() -> None:
    many = OneOrMany(SlotRows, 5)
    faults: list[Fault] = []
    assert many.read([{"value": "a"}, {"pValue": "b"}], "", faults).items[1].publisher_id == "b"
    many.read([{"value": "a"}, {"value": 1}, {}, 7], "", faults)
    assert [f"{fault.field} {fault.message}" for fault in faults] == [
        "/1/value must be a string",
        "/2/value is required",
        "/3 must be an object",
    ]
    many.read([{}] * 6, "", faults := [])
    assert [fault.field for fault in faults] == [""]


def test_text_or_digits() -> None:
    class Ids(Model):
        id: Annotated[str, TextOrDigits(5)] = Field("", description="An id.")

    for said, kept in (("a", "a"), (7, "7"), (Decimal("7.0"), "7"), (None, ""), ("", "")):
        assert read(Ids, {"id": said})[0].id == kept
    bad: object
    for bad in (True, Decimal("1.5"), [], "123456", 123456):
        assert len(read(Ids, {"id": bad})[1]) == 1


class Asked(Query):
    size: Annotated[int, Whole(1, 5)] = Field(2, description="Its size.")
    on: bool | None = Field(None, alias="isOn", description="Whether it is on.")
    name: Id = Field(description="Its name.")


def test_a_query_is_read_as_rows_are() -> None:
    faults: list[Fault] = []
    asked = Asked.read_pairs([("isOn", "TRUE"), ("name", "n"), ("name2", "\0")], faults)
    assert (faults, asked.told(), asked.size) == ([], {"isOn": True, "name": "n"}, 2)
    pairs = [("size", "1"), ("size", "6"), ("isOn", "1"), ("name", "\0")]
    Asked.read_pairs(pairs, faults)
    assert [f"{fault.field} {fault.message}" for fault in faults] == [
        "/size is given twice",
        "/size must be at most 5",
        "/isOn must be true or false",
        "/name must not contain NUL",
    ]
    for name, text in (("size", "9" * 30), ("size", ""), ("name", "")):
        faults = []
        Asked.read_pairs([("name", "n")] * (name != "name") + [(name, text)], faults)
        assert [fault.field for fault in faults] == [f"/{name}"]
    assert parameters(Asked)["isOn"] == (
        {"type": "boolean", "description": "Whether it is on."},
        False,
    )


def test_what_was_said_by_the_nouns_own_names() -> None:
    body = {
        "name": "n",
        "a/b": 0.5,
        "size": Decimal("2.0"),
        "kind": "p",
        "slots": [{"pValue": "x", "markdown": 2.5}],
    }
    said, faults = read(Rows, body)
    assert faults == []
    assert said.given() == {
        "name": "n",
        "bid_micros": 500_000,
        "size": 2,
        "kind": "P",
        "slots": [Slot("x", 25_000)],
    }


def test_null_is_absent_in_a_create_and_told_in_a_change() -> None:
    nulls = {"name": "n", "size": None, "kind": None}
    assert read(Rows, nulls)[0].given() == {"name": "n"}
    assert read(Change, nulls)[0].given() == {"name": "n", "size": None, "kind": None}
    assert read(Change, {})[0].given() == {}
    assert read(Change, {"size": 9, "name": ""})[1] == [
        "/name must not be empty",
        "/size must be at most 5",
    ]


def test_the_first_spelling_counts() -> None:
    said, faults = read(SlotRows, {"publisherId": "c", "pValue": "b", "value": "a"})
    assert (said.publisher_id, faults) == ("a", [])
    assert read(SlotRows, {"pValue": "b", "value": None})[1] == ["/value is required"]


def test_what_is_kept_is_told_unchecked() -> None:
    kept = {"name": "", "bid_micros": 10**18 + 1, "size": 99, "kind": "P", "at": 0}
    told = Told.of(**kept, slots=[SlotRows.of(Slot("x", 25_000))])
    assert encode(spelled(told)) == (
        b'{"name":"","a/b":1000000000000.000001,"size":99,"kind":"P","slots":'
        b'[{"value":"x","markdown":2.5}],"at":"1970-01-01T00:00:00.000Z"}'
    )


def test_a_refusal_names_attributes_and_is_told_by_pointers() -> None:
    said, _ = read(Rows, {"name": "n", "slots": [{"pValue": "x"}]})
    names = ("bid_micros", "slots.0.publisher_id", "/done/already", "", "slots")
    refused = pointed_out(bad_request([Fault(name, "no") for name in names]), said)
    assert [fault.field for fault in refused.faults] == [
        "/a~1b",
        "/slots/0/value",
        "/done/already",
        "",
        "/slots",
    ]


def test_one_spelling_is_described_and_the_others_are_named() -> None:
    refs, schemas = described([Rows, Change], [Told])
    assert refs[Change, "validation"] == {"$ref": "#/components/schemas/RowsChange"}
    slot = schemas["SlotRows-Input"]
    assert list(slot["properties"]) == ["value", "markdown"]
    assert slot["properties"]["value"]["description"] == (
        "The publisher's id. Also read as pValue, publisherId."
    )
    assert (slot["required"], schemas["Rows"]["required"]) == (["value"], ["name"])
    assert schemas["Rows"]["properties"]["size"]["type"] == ["integer", "null"]
    assert "required" not in schemas["RowsChange"]
    told = schemas["Told"]
    assert (
        set(told["required"])
        == set(told["properties"])
        == {"name", "a/b", "size", "kind", "slots", "at"}
    )
    assert told["properties"]["size"] == {"type": "integer", "description": "Its size."}
    assert told["properties"]["name"] == {"type": "string", "description": "Its name."}


class Terms(Model):
    makes = staticmethod(lambda micros=None: micros)
    micros: Money | None = Field(
        None, alias="bid", exclude_if=lambda one: one is None, description="The bid."
    )


class TreeRows(Model):
    """``terms`` is said by publisher, ``least`` inside of ``limits``."""

    inside: ClassVar = {"least": "limits.micros"}
    name: Id = Field(description="Its name.")
    limits: Terms | None = Field(None, alias="lim", description="Limits.")
    terms: dict[str, Terms] = Field({}, alias="byPublisher", description="Terms.")


def test_free_keys_and_rows_within_rows_are_pointed_at() -> None:
    names = ("least.x", f"terms.{step_of('A.b/c~')}.micros", "terms.1", "limits")
    told = pointers(TreeRows, [Fault(name, "no") for name in names])
    assert [fault.field for fault in told] == [
        "/lim/bid/x",
        "/byPublisher/A.b~1c~0/bid",
        "/byPublisher/1",
        "/lim",
    ]
    said, _ = read(TreeRows, {"name": "n", "byPublisher": {"P": {"bid": 2}}})
    assert said.given()["terms"] == {"P": 2_000_000}


def test_a_row_that_is_left_out_is_described_so() -> None:
    assert spelled(Terms.of(micros=None)) == {}
    schema = described([], [Terms])[1]["Terms"]
    assert schema["properties"]["bid"]["type"] == "number"
    assert "required" not in schema
