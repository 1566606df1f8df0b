"""What an operation may be: by its kind and its verb; all else is refused where it is written."""

from typing import Any

import pytest

from contract.gates import (
    Thing,
    operation,
)
from handbill.http import kinds
from handbill.http.kinds import Change, Look, Mint, Public
from handbill.http.operations import (
    PAGED,
)


@pytest.mark.parametrize(
    "row",
    [
        {"verb": "POST", "kind": Look()},
        {"verb": "PUT", "kind": kinds.Ask()},
        {"kind": Change()},
        {"verb": "POST", "kind": Mint()},
        {"verb": "DELETE", "kind": Public()},
        {"role": "public"},
        {"role": "key"},
        {"role": "partner", "client_header": "x-client-id"},
        {"body": Thing},
        {"verb": "POST", "many": True},
        {"verb": "PUT", "body_names": True},
        {"verb": "POST", "must_have_body": False},
        {"kind": Public(), "lane": "slow"},
        {"verb": "POST", "lane": "slow"},
        {"verb": "POST", "kind": kinds.Ask(notes=True), "lane": "bulk"},
        {"kind": Mint(), "lane": "slow"},
        {"kind": Look(timeless=True), "query": PAGED},
        {"kind": Look(timeless=True), "client_header": "x-client-id"},
        {"kind": Look(timeless=True), "lane": "slow"},
        {"kind": Look(timeless=True), "role": "partner"},
    ],
)
def test_what_cannot_be_is_no_operation(row: dict[str, Any]) -> None:
    usual: dict[str, Any] = {"verb": "GET", "path": "/x", "work": lambda _: None}
    with pytest.raises(ValueError, match="x: "):
        operation("x", **(usual | row))
    with pytest.raises(TypeError):
        Mint(timeless=True)  # type: ignore[call-arg]


def test_an_operation_is_by_its_verb_what_it_does_not_say() -> None:
    look, change = (operation("x", verb, "/x", lambda _: None) for verb in ("GET", "POST"))
    assert (look.kind, look.needs, look.writes) == (Look(), "read", False)
    assert (change.kind, change.needs, change.writes) == (Change(), "write", True)
    ask = operation("x", "POST", "/x", lambda _: None, kind=kinds.Ask())
    assert (ask.needs, ask.writes) == ("read", False)
    assert operation("x", "GET", "/x", lambda _: None, kind=Public()).role == "public"
