"""``api-key`` and ``api-client``: the credentials of an agency or a publisher family."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from enum import StrEnum
from typing import Annotated

import typer

from handbill.access import service
from handbill.access.service import MOST_OVERLAP_HOURS, Owner
from handbill.cli.speaking import DataOption, JsonOption, say, say_rows
from handbill.cli.standing import AgencyOption, FamilyOption, missing_told, owner_named, writing
from handbill.kit.instants import HOUR, iso_of
from handbill.opening import Opened
from handbill.store.records import Tx

api_key = typer.Typer(
    no_args_is_help=True, help="API keys (x-api-key) of an agency or a publisher family."
)
api_client = typer.Typer(
    no_args_is_help=True, help="API clients (client_id of POST /token) of an agency or a family."
)


class Scope(StrEnum):
    """What a token may be allowed, as the option spells it."""

    read = "read"
    write = "write"


PrefixArgument = Annotated[
    str, typer.Argument(metavar="PREFIX", help="The part after hb_, from `api-key list`.")
]
_NONE_SUCH = "there is no live {what} {name!r} of that owner; `handbill {command} list` names them"


@contextmanager
def _owned(
    data: str | None, agency_id: str | None, family_id: str | None
) -> Iterator[tuple[Opened, Tx, Owner]]:
    """A transaction that may write, about one owner's credentials."""
    with writing(data) as (tx, stores):
        yield stores, tx, owner_named(tx, agency_id, family_id)


@api_key.command("list")
def list_keys(
    agency_id: AgencyOption = None,
    family_id: FamilyOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """List the keys, including revoked ones, oldest first; never their secrets."""
    from handbill.contract.access.models import ApiKey
    from handbill.wire.models import spelled

    with _owned(data, agency_id, family_id) as (_, tx, owner):
        rows = [spelled(ApiKey.of(key)) for key in service.keys_of(tx, owner)]
    say_rows(rows, ("prefix", "createdOn", "expiresOn", "revokedOn"), as_json=json)


@api_key.command("create")
def create_key(
    agency_id: AgencyOption = None,
    family_id: FamilyOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Create a further key; it is printed only this once."""
    with _owned(data, agency_id, family_id) as (stores, tx, owner):
        made = service.add_key(tx, stores.ids, stores.clock.now(), owner)
    say({"apiKey": made}, as_json=json)


@api_key.command("rotate")
def rotate_key(
    prefix: PrefixArgument,
    overlap_hours: Annotated[
        int,
        typer.Option(
            min=0, max=MOST_OVERLAP_HOURS, help="Hours for which the former key remains valid."
        ),
    ] = 24,
    agency_id: AgencyOption = None,
    family_id: FamilyOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Replace a key, which remains valid for a while; the new one is printed only this once."""
    with _owned(data, agency_id, family_id) as (stores, tx, owner):
        now = stores.clock.now()
        with _known("API key", prefix, "api-key"):
            made = service.rotate_key(tx, stores.ids, now, owner, prefix, overlap_hours * HOUR)
        former = next(key for key in service.keys_of(tx, owner) if key.prefix == prefix)
    assert former.expires_at is not None, "a rotation ends it"
    ends = iso_of(former.expires_at)
    say({"apiKey": made, "formerPrefix": prefix, "formerExpiresOn": ends}, as_json=json)


@api_key.command("revoke")
def revoke_key(
    prefix: PrefixArgument,
    agency_id: AgencyOption = None,
    family_id: FamilyOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Revoke a key at once, in all processes."""
    known = _known("API key", prefix, "api-key")
    with _owned(data, agency_id, family_id) as (stores, tx, owner), known:
        service.revoke_key(tx, stores.clock.now(), owner, prefix)
    say({"revoked": prefix}, as_json=json)


@api_client.command("list")
def list_api_clients(
    agency_id: AgencyOption = None,
    family_id: FamilyOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """List the API clients, including revoked ones, oldest first."""
    from handbill.contract.access.models import ApiClient
    from handbill.wire.models import spelled

    with _owned(data, agency_id, family_id) as (_, tx, owner):
        rows = [spelled(ApiClient.of(one)) for one in service.api_clients_of(tx, owner)]
    say_rows(rows, ("client_id", "scope", "createdOn", "revokedOn"), as_json=json)


@api_client.command("create")
def create_api_client(
    may: Annotated[
        list[Scope] | None,
        typer.Option("--scope", help="What its tokens may do, permanently; both if absent."),
    ] = None,
    agency_id: AgencyOption = None,
    family_id: FamilyOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Create a further API client; print its id and scope."""
    with _owned(data, agency_id, family_id) as (stores, tx, owner):
        wanted = {one.value for one in may or Scope}
        allowed = [need for need in service.NEEDS if need in wanted]
        made = service.add_api_client(tx, stores.ids, stores.clock.now(), owner, allowed)
    say({"apiClientId": made, "scope": service.scope_of(owner.role, allowed)}, as_json=json)


@api_client.command("revoke")
def revoke_api_client(
    api_client_id: Annotated[str, typer.Argument(metavar="ID", help="The API client's id.")],
    agency_id: AgencyOption = None,
    family_id: FamilyOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Revoke an API client and all its tokens at once, in all processes."""
    known = _known("API client", api_client_id, "api-client")
    with _owned(data, agency_id, family_id) as (stores, tx, owner), known:
        service.revoke_api_client(tx, stores.clock.now(), owner, api_client_id)
    say({"revoked": api_client_id}, as_json=json)


def _known(what: str, name: str, command: str) -> AbstractContextManager[None]:
    return missing_told(_NONE_SUCH.format(what=what, name=name, command=command))
