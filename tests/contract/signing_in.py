"""An agency that signs in by a provider of its own, and what becomes of sign-ins."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from contract.conftest import opened
from contract.office import OPERATIONS, Body, Office
from contract.signed_in import asked
from handbill.host.egress import Egress
from handbill.http.app import Application
from handbill.kit.instants import SECOND
from handbill.store.records import Records
from identity_provider import (
    CLIENT,
    SECRET,
    IdentityProvider,
    providing,
)

MAIL = "ada@acme.example"
GRANTS: list[Body] = [{"value": "owners", "role": "OWNER"}, {"value": "ads", "role": "TRADER"}]
BY_CLAIM: Body = {"roleClaim": "groups", "grants": GRANTS, "createsPeople": True}
UNAUTHORIZED = (401, "Unauthorized")


@pytest.fixture(scope="module")
def listening() -> Iterator[IdentityProvider]:
    with providing() as made:
        yield made


@pytest.fixture
def idp(listening: IdentityProvider) -> IdentityProvider:
    """One that behaves."""
    fresh = IdentityProvider(listening.port)
    vars(listening).update(vars(fresh))
    return listening


@pytest.fixture
def office(sqlite_office: Office, idp: IdentityProvider) -> Iterator[Office]:
    """An agency that signs in by the provider, which it may reach."""
    with _reaching(sqlite_office, idp) as made:
        yield made


@pytest.fixture
def office_anywhere(records: Records, tmp_path: Path, idp: IdentityProvider) -> Iterator[Office]:
    """The same on each engine."""
    for one in opened(records, tmp_path):
        with _reaching(one, idp) as made:
            yield made


@contextmanager
def _reaching(of: Office, idp: IdentityProvider) -> Iterator[Office]:
    place = f"127.0.0.1:{idp.port}"
    settings = structs.replace(of.desk.settings, egress_allow=(place,))
    egress = Egress((place,), resolve=lambda *_: [])
    desk = replace(of.desk, settings=settings, egress=egress)
    made = Office(desk, "acme", of.headers, Application(OPERATIONS, desk))
    idp.now = lambda: desk.clock.now() // SECOND
    yield made
    made.app.close()
    egress.close()


def provide(office: Office, idp: IdentityProvider, **more: Any) -> None:
    body = {"issuer": idp.issuer, "clientId": CLIENT, "clientSecret": SECRET}
    office.put(f"/agencies/{office.agency_id}/sign-in-provider", body | more)


def begun(office: Office) -> Body:
    reply = asked(office, {}, "POST", "/sign-ins", {"agencyId": office.agency_id})
    assert reply.status == 200, reply.raw
    made: Body = reply.json
    return made


def finished(office: Office, idp: IdentityProvider, **more: Any) -> Any:
    """What becomes of a sign-in; ``more``: what the browser brings back instead."""
    made = begun(office)
    body = {"flow": made["flow"]} | idp.authorize(made["result"]) | more
    return asked(office, {}, "POST", "/sign-ins/finish", body)


def me(office: Office, reply: Any) -> Body:
    assert reply.status == 200, reply.raw
    headers = {"authorization": f"Bearer {reply.json['result']}"}
    found: Body = asked(office, headers, "GET", "/people/me").json
    return found


def is_refused(reply: Any, caught: pytest.LogCaptureFixture, why: str) -> None:
    """Everybody gets the same answer; the log alone says why."""
    assert (reply.status, reply.json["message"]) == UNAUTHORIZED, reply.raw
    assert set(reply.json) == {"message", "requestId"}
    told = [one for one in caught.records if one.name == "handbill.sign_ins"][-1]
    said = vars(told)
    assert why in said["why"], said["why"]
    assert said["requestId"] == reply.json["requestId"]
