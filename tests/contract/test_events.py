"""Each security event is told as a line of the log, with its count, and counted for the metrics."""

import logging
from collections.abc import Callable
from typing import Any

import pytest

from contract.asgi import call
from contract.office import Office
from handbill.host import security
from handbill.host.egress import Egress, EgressRefused, FetchLimits
from handbill.host.figures import SECURITY
from handbill.http.front import Front
from handbill.http.witness import Witness
from handbill.publishers.service import create_family

_LIST = "/clients?page=0&limit=1"


@pytest.fixture
def door(sqlite_office: Office) -> Callable[..., int]:
    """The office's application as it is served: behind its limits, and witnessed."""
    desk = sqlite_office.desk
    front = Front(
        sqlite_office.app,
        desk.clock,
        desk.ids,
        lambda peer, _: peer,
        failures_per_minute=3,
        requests_at_once=8,
    )
    app = Witness(front, front.named)

    def ask(verb: str, url: str, headers: dict[str, str], body: Any = None) -> int:
        return call(app, verb, url, body, headers=headers).status

    return ask


def _partner(office: Office) -> dict[str, str]:
    with office.desk.records.write() as tx:
        now, ids = office.desk.clock.now(), office.desk.ids
        _, key, api_client = create_family(tx, ids, now, ["TestExp1"])
    headers = {"x-api-key": key}
    asked = office.ask("POST", "/token", {"client_id": api_client}, headers)
    return headers | {"x-authorization-key": asked.json["access_token"]}


def test_each_refusal_is_told_and_counted(
    door: Callable[..., int], sqlite_office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    office, good = sqlite_office, sqlite_office.headers
    egress = Egress(resolve=lambda *_: ["127.0.0.1"])

    def dials_inwards() -> int:
        with pytest.raises(EgressRefused):
            egress.post("https://inside.example.com/", b"", {}, FetchLimits(30, 30, 30, 0))
        return 0

    deeds: dict[str, Callable[[], int]] = {
        "token_refused": lambda: door("GET", _LIST, good | {"x-authorization-key": "bad"}),
        "role_refused": lambda: door("GET", _LIST, _partner(office)),
        "client_refused": lambda: door(
            "GET", "/rules?page=0&limit=1", good | {"x-client-id": "nobody"}
        ),
        "egress_refused": dials_inwards,
        "api_client_refused": lambda: door("POST", "/token", good, {"client_id": "nobody"}),
        "key_refused": lambda: door("GET", _LIST, good | {"x-api-key": "hb_bad_key"}),
        "locked_out": lambda: [door("GET", _LIST, {"x-api-key": "x"}) for _ in range(9)][-1],
    }
    wrong = []
    for event, deed in deeds.items():
        office.clock.forward(60_000_000)
        before = SECURITY.labels(event)._value.get()
        security.settle(every=True)  # or one that is like another test's is held back
        caplog.clear()
        with caplog.at_level(logging.INFO, "handbill.security"):
            deed()
        told = [one.__dict__ for one in caplog.records if one.name == "handbill.security"]
        counted = SECURITY.labels(event)._value.get() - before
        if event not in {one["event"] for one in told} or not counted:
            wrong.append(f"{event}: told {told}, counted {counted}")
    egress.close()
    assert not wrong, "\n".join(wrong)


def test_a_link_to_set_a_password_is_not_in_the_log(
    door: Callable[..., int], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO", logger="handbill.access"):
        door("GET", f"/app/join/hbl_abcdefghijkl_{'s' * 40}", {})
    [told] = [one.path for one in caplog.records if hasattr(one, "path")]
    assert told == "/app/join/hbl_abcdefghijkl_..."
