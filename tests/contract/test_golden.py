"""Each operation answers the reference's sample request with the reference's sample answer."""

from collections import defaultdict
from typing import Any

from jsonschema_rs import Draft202012Validator

from contract.golden import GOLDEN, Golden, differences
from contract.office import OPERATIONS, Office, closed, operation_of
from handbill.access.keys import secret
from handbill.core.listing_tokens import Listing, SealedClick, click_id
from handbill.kit.faults import Fault
from handbill.kit.jsons import decode, encode
from handbill.wire.described import schema_of
from handbill.wire.values import NOT_GIVEN

REFUSED_SAMPLES = {34: {"/xmlFeedUrl"}}
"""What the reference's own sample has that contract 3 refuses."""


def _filled(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _filled(item, names) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, names) for item in value]
    return names.get(value, value) if isinstance(value, str) else value


def _headers(row: Golden, made: dict[str, str]) -> dict[str, str]:
    operation, _ = operation_of(row.verb, row.path.format_map(defaultdict(str, made)))
    if not operation.client_header:
        return {}
    return {"client_id" if operation.client_header == "s2s" else "x-client-id": made["client"]}


def click_of(office: Office) -> str:
    """A click id that is ours, of a click that nobody has made."""
    with office.desk.records.read() as tx:
        kid, key = max(secret(tx, "listing").items())
    listing = Listing(
        client_no=1,
        campaign_no=1,
        group_no=1,
        publisher_no=1,
        job_id=bytes(16),
        bid_type="CPC",
        bid_micros=1,
        price_micros=1,
    )
    return click_id(SealedClick(bytes(16), office.clock.now(), listing), kid, key)


def played(office: Office) -> list[str]:
    """What differs from the samples; each line begins with the operation's number."""
    made: dict[str, str] = {}
    found: list[str] = []
    for row in GOLDEN:
        names = {f"{{{name}}}": id_ for name, id_ in made.items()}
        names["{api_client}"] = office.api_client_id
        names["{click}"] = click_of(office)
        headers = _headers(row, made)
        reply = office.ask(row.verb, row.path.format(**made), _filled(row.body, names), headers)
        told = f"{row.number} {row.verb} {row.path}"
        if reply.status != row.status:
            found.append(f"{told}: {reply.status} {reply.raw.decode()}")
            continue
        found += [f"{told}: {line}" for line in differences(reply.json, row.answer)]
        if row.keeps:
            made[row.keeps] = reply.json.get("result") or reply.json["taskId"]
    return found


def test_the_reference_samples(office: Office) -> None:
    assert played(office) == []


def test_the_differ_finds_what_differs() -> None:
    wanted = GOLDEN[1].answer
    sound = {"result": "7baeb0b8-ae6f-4ed0-b80f-a08086a917d4", "message": "client created"}
    assert differences(sound, wanted) == []
    bad: Any
    for bad in (
        sound | {"message": "Client created"},
        {"message": "client created", "result": sound["result"]},
        sound | {"extra": 1},
        sound | {"result": "7baeb0b8-ae6f-4jed-b80f-az8z86a917d4"},
        [],
    ):
        assert differences(bad, wanted)
    assert differences({"a": 1}, {"a": True})


def test_every_sample_is_what_its_schema_says() -> None:
    for operation in OPERATIONS:
        if operation.sample_answer is not NOT_GIVEN:
            answer = decode(encode(operation.sample_answer))
            found = [
                str(bad)
                for bad in Draft202012Validator(closed(schema_of(operation.answer))).iter_errors(
                    answer
                )
            ]
            assert found == [], operation.name
        if operation.sample is not NOT_GIVEN:
            assert operation.body is not None
            faults: list[Fault] = []
            operation.body.read(decode(encode(operation.sample)), "", faults)
            allowed = REFUSED_SAMPLES.get(operation.number or 0, set())
            assert {fault.field for fault in faults} == allowed, operation.name
