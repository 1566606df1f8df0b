"""The gates, always in this order: key or session 401, token 403, role 403, client in a header 403,
shape 400, look-up 404, state 400. **Source**: contract 2.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from msgspec import structs
from starlette.datastructures import Headers

from handbill.core.nouns import Client
from handbill.core.persons import HEADS, WRITERS
from handbill.http.bodies import PACKED, PLAIN, coding_of
from handbill.http.operations import Call, Caller, Desk, Operation
from handbill.kit.faults import Fault, Refused, bad_request, not_found
from handbill.kit.instants import SECOND, Instant
from handbill.kit.jsons import NotJson, decode
from handbill.store.records import Tx
from handbill.wire.currencies import asked_by, currencies_said
from handbill.wire.queries import Query

_BEARER = re.compile(r"bearer ", re.IGNORECASE)
_CREDENTIALS = ("x-api-key", "x-authorization-key")
_S2S_HEADERS = ("client_id", "client-id", "x-client-id")
_MOST_PATH_PART = 512
_JSON_TYPE = re.compile(r"(?:application|text)/json|application/[a-z0-9.+-]+\+json", re.I | re.A)
_CURRENCY = b"urrency"
_NOTHING_ASKED = Query()
_BAD_PATH = re.compile(r"[\x00-\x1f\x7f]")


class Admission(NamedTuple):
    """Who has passed the gates at an instant, and the client of a header. ``state``: the memory of
    the records as they were; None: the engine cannot tell whether they have changed.
    """

    caller: Caller | None
    client: Client | None
    state: object
    at: Instant

    def stands(self, tx: Tx, now: Instant) -> bool:
        """Whether the gates would prove nothing new: the same records, within a second."""
        return self.state is not None and self.state is tx.memory() and now - self.at < SECOND


class Arrival(NamedTuple):
    """A request as it was received. ``sender``: the digest of its credential; ``peer``: the
    caller's address; ``damage``: why its body could not be unpacked; ``admission``: of whom it is,
    if that is known.
    """

    path: Mapping[str, str]
    query: bytes
    headers: Headers
    body: bytes
    request_id: str
    url: str
    sender: bytes = b""
    peer: str = ""
    damage: str = ""
    admission: Admission | None = None


def unauthorised(gate: str = "key") -> Refused:
    """One body for every kind of bad key, session, password or code."""
    return Refused(401, "Unauthorized", gate=gate)


def forbidden(gate: str) -> Refused:
    """One body for every kind of bad token, role, scope or client in a header."""
    return Refused(403, "Forbidden", gate=gate)


def admitted(tx: Tx, desk: Desk, operation: Operation, arrival: Arrival, now: Instant) -> Admission:
    """Pass the gates of who is calling. **Refuses** with 401 or 403."""
    caller, client = None, None
    if operation.role != "public":
        caller, client = _caller_and_client(tx, desk, operation, arrival, now)
    return Admission(caller, client, tx.memory(), now)


def _caller_and_client(
    tx: Tx, desk: Desk, operation: Operation, arrival: Arrival, now: Instant
) -> tuple[Caller, Client | None]:
    keys = arrival.headers.getlist("x-api-key")
    sessions = [one for one in arrival.headers.getlist("authorization") if _BEARER.match(one)]
    if sessions or operation.role == "person":
        return _admitted_person(tx, desk, operation, arrival, sessions, now)
    caller = desk.doors.caller(tx, keys[0], now) if len(keys) == 1 else None
    if caller is None:
        raise unauthorised()
    if operation.role == "key":
        return caller, None
    tokens = arrival.headers.getlist("x-authorization-key")
    of = desk.doors.admits(tx, caller, tokens[0], now) if len(tokens) == 1 else None
    if of is None:
        raise forbidden("token")
    if caller.role != operation.role or operation.needs not in of.needs:
        raise forbidden("role")
    caller = structs.replace(caller, api_client_id=of.api_client_id)
    return caller, _client_of_header(tx, desk, operation, arrival, caller)


def _admitted_person(
    tx: Tx, desk: Desk, operation: Operation, arrival: Arrival, sessions: list[str], now: Instant
) -> tuple[Caller, Client | None]:
    """The same for a session, which stands in place of key and token."""
    alone = len(sessions) == 1 and not any(name in arrival.headers for name in _CREDENTIALS)
    caller = desk.doors.person(tx, sessions[0][7:].strip(), now) if alone else None
    if caller is None or caller.standing is None:
        raise unauthorised()
    role = caller.standing.role
    if operation.role == "person":
        if operation.open_to == "operator" and role != "OPERATOR":
            raise forbidden("role")
        return caller, None
    may = operation.needs == "read" or role in WRITERS
    if operation.open_to == "owner":
        may = may and role in HEADS
    elif operation.open_to != "employer":
        may = may and role != "EMPLOYER"
    if caller.role != operation.role or not may:
        raise forbidden("role")
    return caller, _client_of_header(tx, desk, operation, arrival, caller)


def _client_of_header(
    tx: Tx, desk: Desk, operation: Operation, arrival: Arrival, caller: Caller
) -> Client | None:
    if not operation.client_header:
        return None
    names = _S2S_HEADERS if operation.client_header == "s2s" else ("x-client-id",)
    given = {value for name in names for value in arrival.headers.getlist(name)}
    if not given:
        raise Refused(403, f"Forbidden: send a client's id in the header {names[0]}", gate="client")
    client = desk.doors.client(tx, caller, given.pop()) if len(given) == 1 else None
    if client is None:
        raise forbidden("client")
    return client


def read_shapes(
    operation: Operation, arrival: Arrival, currency: Callable[[], str] = str
) -> tuple[Query, Any]:
    """Read query and body. **Refuses** (400) with all faults of both together.

    ``currency``: the caller's, in which all amounts are. A body that states another one is refused,
    even where the operation does not ask for a currency.
    """
    faults: list[Fault] = []
    for name, part in arrival.path.items():
        if len(part) > _MOST_PATH_PART or _BAD_PATH.search(part):
            faults.append(Fault(f"/{name}", "is not an id"))
    query = _read_query(operation, arrival, faults)
    body = _read_body(operation, arrival, faults, currency)
    if faults:
        raise bad_request(faults)
    return query, body


def _read_query(operation: Operation, arrival: Arrival, faults: list[Fault]) -> Query:
    if not arrival.query and operation.query is Query:
        return _NOTHING_ASKED
    try:
        pairs = parse_qsl(
            arrival.query.decode("ascii"),
            keep_blank_values=True,
            max_num_fields=100,
            errors="strict",
        )
    except ValueError:
        faults.append(Fault("", "the query string cannot be read"))
        return _NOTHING_ASKED
    return operation.query.read_pairs(pairs, faults)


def _read_body(
    operation: Operation, arrival: Arrival, faults: list[Fault], currency: Callable[[], str]
) -> Any:
    if operation.body is None:
        return None
    if arrival.damage:
        faults.append(Fault("", f"the body {arrival.damage}"))
        return None
    if not arrival.body and not operation.must_have_body:
        return operation.body.read({}, "", faults)
    media_types = arrival.headers.getlist("content-type")
    media_type = media_types[0].partition(";")[0].strip() if media_types else ""
    if media_type and not _JSON_TYPE.fullmatch(media_type):
        faults.append(Fault("", "the content type must be application/json"))
        return None
    if coding_of(arrival.headers) not in PLAIN | PACKED:
        faults.append(Fault("", "the content encoding must be gzip, deflate or identity"))
        return None
    try:
        value = decode(arrival.body)
    except NotJson as bad:
        faults.append(Fault("", f"the body {bad}"))
        return None
    if _CURRENCY in arrival.body and (own := currency()):
        faults += [
            Fault(pointer, f"must be {own}, the agency's currency: this amount is not converted")
            for pointer, code in currencies_said(value, asked_by(operation.body))
            if code.upper() != own
        ]
    return operation.body.read(value, "", faults)


def found_client(
    tx: Tx, desk: Desk, operation: Operation, call: Call, *, hold: bool = False
) -> Client | None:
    """The client that path or query names, or else the one of the header. ``hold``: for a change:
    locked for this transaction, and as the last change left it.

    **Refuses** (404) foreign, deleted, unknown alike; (403) one of a header, deleted meanwhile.
    """
    client_id = call.path.get("client_id") or getattr(call.query, "client_id", None)
    if client_id is None or operation.role != "agency":
        if call.maybe_client is None or not hold:
            return call.maybe_client
        client_id = call.maybe_client.id
    client = desk.doors.client(tx, call.caller, client_id, hold=hold)
    if client is None:
        raise forbidden("client") if operation.client_header else not_found()
    return client
