"""A small application behind the gates of every operation: what it knows, and a way to ask it."""

from collections.abc import Callable
from typing import Annotated, Any

import sqlalchemy as sa
from pydantic import Field, StringConstraints
from sqlalchemy import bindparam as b

from contract.asgi import Reply
from handbill.core.nouns import Client, ClientBody
from handbill.host.ids import new_uuid
from handbill.http.kinds import Need
from handbill.http.operations import (
    PAGED,
    Admitted,
    Call,
    Caller,
    Operation,
    Role,
)
from handbill.http.paging import skip_and_limit, with_links
from handbill.kit.faults import not_found, refused_state
from handbill.store.records import Tx
from handbill.store.records.tables import agencies
from handbill.wire.fields import Whole
from handbill.wire.models import Model

GOOD = {"x-api-key": "good", "x-authorization-key": "token"}
COUNT = sa.select(sa.func.count()).select_from(agencies).where(agencies.c.name == b("name"))
_ALL = sa.select(sa.func.count()).select_from(agencies)


class FakeDoors:
    """One agency with the key 'good' and the token 'token', and one client 'mine'."""

    def caller(self, tx: Tx, api_key: str, now: int) -> Caller | None:
        roles: dict[str, Role] = {"good": "agency", "partner": "partner"}
        return Caller(roles[api_key], 1, "a", 1) if api_key in roles else None

    def admits(self, tx: Tx, caller: Caller, token: str, now: int) -> Admitted | None:
        tokens: dict[str, frozenset[Need]] = {
            "token": frozenset({"read", "write"}),
            "reader": frozenset({"read"}),
        }
        return Admitted(token, tokens[token]) if token in tokens else None

    def person(self, tx: Tx, session: str, now: int) -> Caller | None:
        return None

    def client(
        self, tx: Tx, caller: Caller, client_id: str, *, hold: bool = False
    ) -> Client | None:
        if client_id != "mine":
            return None
        return Client(
            no=1,
            id="mine",
            agency_no=1,
            status="A",
            zone="UTC",
            pixel_id="p",
            body=ClientBody(company_name="n", exported_name="n"),
            created_at=0,
            updated_at=0,
        )

    def currency(self, tx: Tx, caller: Caller) -> str:
        return "USD"

    def hold_owner(self, tx: Tx, caller: Caller) -> None:
        pass


def _create(call: Call) -> Any:
    name = call.body.name
    if name == "taken":
        raise refused_state("/name", "is taken")
    if name == "bug":
        raise ZeroDivisionError
    no = call.tx.put(agencies, id=new_uuid(call.ids), name=name, currency="USD", created_at=0)
    if name == "late bug":
        raise ZeroDivisionError
    return {"result": no, "message": "thing created"}


def _one(call: Call) -> Any:
    if call.path["thing"] == "unknown":
        raise not_found()
    return {"thing": call.path["thing"], "client": call.client.id}


def _page(call: Call) -> Any:
    skip, limit = skip_and_limit(call)
    return with_links(call, {"data": list(range(25))[skip : skip + limit]}, 25)


class Thing(Model):
    name: Annotated[str, StringConstraints(min_length=1, max_length=20)] = Field(
        description="Name."
    )
    size: Annotated[int, Whole(0, 5)] = Field(0, description="Size.")


def operation(name: str, verb: Any, path: str, work: Callable[[Call], Any], **kw: Any) -> Operation:
    return Operation(
        name=name,
        verb=verb,
        path=path,
        title=name,
        about=name,
        tag="T",
        work=work,
        answer=kw.pop("answer", {}),
        **kw,
    )


OPERATIONS = [
    operation("create", "POST", "/things", _create, body=Thing),
    operation("under", "POST", "/clients/{client_id}/things", _create, body=Thing),
    operation("one", "GET", "/clients/{client_id}/things/{thing}", _one),
    operation("fixed", "GET", "/clients/{client_id}/things/all", lambda call: {"all": True}),
    operation("named", "GET", "/clients/{client_id}/named", lambda call: call.tx.value(_ALL)),
    operation("name", "PUT", "/clients/{client_id}/named", _create, body=Thing),
    operation("page", "GET", "/things", _page, query=PAGED),
    operation("head", "GET", "/stats", lambda call: call.client.id, client_header="x-client-id"),
    operation("s2s", "POST", "/s2s", lambda call: call.client.id, client_header="s2s", body=Thing),
    operation("partners", "GET", "/partners", lambda call: {}, role="partner"),
    operation("long", "GET", "/long", lambda call: {"long": "x" * 50_000}),
    operation("many", "POST", "/many", lambda call: len(call.body.given()), body=Thing, many=True),
]


Ask = Callable[..., Reply]


def message_of(reply: Reply) -> tuple[int, dict[str, Any]]:
    body = dict(reply.json)
    assert body.pop("requestId") == reply.headers["x-request-id"]
    return reply.status, body
