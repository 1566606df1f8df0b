"""An agency's office: the real application in this process, with credentials that work."""

import re
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from joserfc.jwk import RSAKey
from jsonschema_rs import Draft202012Validator

from contract.asgi import Reply, call
from handbill.access.service import create_agency
from handbill.api import ApiDoors, operations
from handbill.host.clock import SetClock
from handbill.http.app import Application
from handbill.http.operations import Desk, Operation
from handbill.wire.described import schema_of
from masters import put_key

NOON = 1_795_003_200 * 1_000_000  # 2026-11-18T12:00:00Z, a Wednesday
Body = dict[str, Any]
BUDGET: Body = {"budget": {"cap": "Monthly", "value": 1000}}
US: Body = {"operator": "AND", "rules": [{"operator": "EQUAL", "field": "country", "data": "US"}]}


@cache
def _pem() -> bytes:
    """One signing key for all tests: making one takes longer than most of them."""
    return RSAKey.generate_key(2048).as_pem(private=True)


__all__ = ["NOON", "OPERATIONS", "ApiDoors", "Office"]

OPERATIONS = operations()


@dataclass
class Office:
    """``ask`` sends both credentials and checks the answer against the operation's schema."""

    desk: Desk
    agency_id: str = "acme"
    headers: dict[str, str] = field(default_factory=dict)
    app: Any = None

    def open(self) -> "Office":
        self.app = self.app or Application(OPERATIONS, self.desk)
        with self.desk.records.write() as tx:
            now = self.desk.clock.now()
            put_key(tx, "jwt", _pem(), now)
            _, api_key, self.api_client_id = create_agency(
                tx, self.desk.ids, now, agency_id=self.agency_id, name="Acme", currency="USD"
            )
        self.headers = {"x-api-key": api_key}
        token = self.ask("POST", "/token", {"client_id": self.api_client_id}).json["access_token"]
        self.headers["x-authorization-key"] = token
        self.new("/publishers", {"id": "TestExp1", "bidType": "CPC"})
        return self

    def another(self, agency_id: str = "other") -> "Office":
        """A second agency in the same installation."""
        return Office(self.desk, agency_id, app=self.app).open()

    def ask(
        self,
        verb: str,
        url: str,
        body: Any = None,
        headers: dict[str, str] | None = None,
        **kw: Any,
    ) -> Reply:
        reply = call(self.app, verb, url, body, headers=self.headers | (headers or {}), **kw)
        assert reply.status < 500, reply.raw
        check_schema(verb, url, reply)
        return reply

    def get(self, url: str) -> Any:
        reply = self.ask("GET", url)
        assert reply.status == 200, (url, reply.raw)
        return reply.json

    def put(self, url: str, body: Any = None) -> Any:
        reply = self.ask("PUT", url, body)
        assert reply.status == 200, (url, reply.raw)
        return reply.json

    def new(self, url: str, body: Body) -> str:
        """Create; the new thing's id."""
        reply = self.ask("POST", url, body)
        assert reply.status == 200, (url, reply.raw)
        made: str = reply.json["result"]
        return made

    def client(self, **more: Any) -> str:
        """The path of a new client."""
        body = {"companyName": "Mills", "caps": BUDGET, "endDate": "12/31/2030"}
        return "/clients/" + self.new("/clients", body | more)

    def campaign(self, client: str, **more: Any) -> str:
        """The path of a new campaign."""
        made = self.new(f"{client}/campaigns", {"name": "autumn", "caps": BUDGET} | more)
        return f"{client}/campaigns/{made}"

    def group(self, campaign: str, **more: Any) -> str:
        """The path of a new job group."""
        body = {"name": "g", "cpcBid": 0.5, "filters": US, "caps": BUDGET}
        body |= {"placements": [{"value": "TestExp1"}]} | more
        return f"{campaign}/jobgroups/" + self.new(f"{campaign}/jobgroups", body)

    def faults(self, verb: str, url: str, body: Any = None) -> dict[str, str]:
        """Field → message of a 400."""
        reply = self.ask(verb, url, body)
        assert reply.status == 400, (url, reply.status, reply.raw)
        return {fault["field"]: fault["message"] for fault in reply.json["errors"]}

    @property
    def clock(self) -> SetClock:
        assert isinstance(self.desk.clock, SetClock)
        return self.desk.clock


def closed(schema: dict[str, Any], *, is_part: bool = False) -> dict[str, Any]:
    """The schema of an answer in which every key must be described, at any depth.

    ``is_part``: others say more about the same object.
    """
    found = dict(schema)
    for word in ("properties", "$defs"):
        if word in schema:
            found[word] = {name: closed(inner) for name, inner in schema[word].items()}
    for word in ("items", "additionalProperties"):
        if isinstance(schema.get(word), dict):
            found[word] = closed(schema[word])
    for word in ("anyOf", "oneOf", "allOf"):
        if word in schema:
            parts = word == "allOf" or "properties" in schema
            found[word] = [closed(one, is_part=parts) for one in schema[word]]
    is_open = is_part or "additionalProperties" in schema
    if not is_open and ("properties" in schema or "allOf" in schema):
        found["unevaluatedProperties"] = False
    return found


_PATHS = [
    (operation, re.compile(re.sub(r"{\w+}", "[^/]+", operation.path))) for operation in OPERATIONS
]


@cache
def _validator(number: int) -> Draft202012Validator:
    """What checks the answer of an operation; not all processes need all."""
    return Draft202012Validator(closed(schema_of(OPERATIONS[number].answer)))


def operation_of(verb: str, url: str) -> tuple[Operation, Draft202012Validator]:
    path = url.partition("?")[0]
    verb = {"PATCH": "PUT"}.get(verb, verb)
    found = [
        number
        for number, (row, shape) in enumerate(_PATHS)
        if row.verb == verb and shape.fullmatch(path)
    ]
    fixed = [number for number in found if "{" not in OPERATIONS[number].path.rsplit("/", 1)[1]]
    number = (fixed or found)[0]
    return OPERATIONS[number], _validator(number)


def check_schema(verb: str, url: str, reply: Reply) -> None:
    """A success must look as the operation's answer schema says."""
    if reply.status == 200:
        _, validator = operation_of(verb, url)
        validator.validate(reply.json)


def plain(value: Any) -> Any:
    """Decimals as floats."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value if value is None or isinstance(value, bool | int | str) else float(value)
