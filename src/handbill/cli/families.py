"""``publisher-family``: vendors of publishers, and the keys that let them in."""

from contextlib import AbstractContextManager
from typing import Annotated, Any

import typer

from handbill.access.service import MOST_OVERLAP_HOURS, Owner
from handbill.cli.speaking import DataOption, JsonOption, read_body, say, say_lines, told_of
from handbill.cli.standing import agency_named, family_named, missing_told, writing
from handbill.kit.instants import HOUR
from handbill.kit.jsons import encode

family = typer.Typer(no_args_is_help=True, help="Publisher families: vendors of publishers.")
IdArgument = Annotated[str, typer.Argument(metavar="ID", help="24 hex digits.")]
PrefixArgument = Annotated[
    str, typer.Argument(metavar="PREFIX", help="The part of the key after hb_.")
]


@family.command("create")
def create_family(
    publishers: Annotated[str, typer.Option(help="Publisher ids, separated by commas.")],
    agency_id: Annotated[
        str | None,
        typer.Option("--agency", help="Use this agency's publishers; it may manage the family."),
    ] = None,
    name: Annotated[str, typer.Option(help="Name of the vendor.")] = "",
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Create a family; print its id, its API key (shown only this once) and its API client id."""
    from handbill.contract.publisher_families.models import NewFamily
    from handbill.publishers.service import create_family as create

    body = {"publishers": _ids(publishers), "name": name}
    new: NewFamily = read_body(NewFamily, body, "The family was not created")
    with writing(data) as (tx, stores), told_of(new):
        if agency_id is not None:
            agency_named(tx, agency_id)
        now = stores.clock.now()
        made = create(tx, stores.ids, now, new.publishers, agency_id, new.name)
    say(dict(zip(("publisherFamilyId", "apiKey", "apiClientId"), made, strict=True)), as_json=json)


@family.command("list")
def list_families(data: DataOption = None, json: JsonOption = False) -> None:
    """List all families, oldest first."""
    from handbill.access.families import families
    from handbill.contract.publisher_families.models import family_told
    from handbill.wire.models import spelled

    with writing(data) as (tx, _):
        rows = [spelled(family_told(tx, one)) for one in families(tx)]
    if json:
        say_lines([encode({"data": rows})])
        return
    for one in rows:
        say_lines([f"{one['id']}  {one['name']:<24}  {', '.join(one['publishers'])}".encode()])


@family.command("show")
def show_family(family_id: IdArgument, data: DataOption = None, json: JsonOption = False) -> None:
    """Show a family, its keys and API clients; never a key's secret part."""
    from handbill.access import service as access
    from handbill.contract.access.models import ApiKey
    from handbill.contract.publisher_families.models import family_told
    from handbill.wire.models import spelled

    with writing(data) as (tx, _):
        named = family_named(tx, family_id)
        owner = Owner("partner", named.no)
        whole: dict[str, Any] = spelled(family_told(tx, named))
        whole["apiKeys"] = [spelled(ApiKey.of(key)) for key in access.keys_of(tx, owner)]
        clients = access.api_clients_of(tx, owner)
        whole["apiClientIds"] = [one.id for one in clients if one.revoked_at is None]
    say(whole, as_json=json)


@family.command("update")
def update_family(
    family_id: IdArgument,
    publishers: Annotated[
        str | None,
        typer.Option(help="Publisher ids, separated by commas; replaces the former list."),
    ] = None,
    name: Annotated[str | None, typer.Option(help="Name of the vendor.")] = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Change the publishers or the name of a family."""
    from handbill.contract.publisher_families.models import FamilyChange
    from handbill.publishers.families import update

    body: dict[str, Any] = {}
    if publishers is not None:
        body["publishers"] = _ids(publishers)
    if name is not None:
        body["name"] = name
    change = read_body(FamilyChange, body, "The family was not changed")
    with writing(data) as (tx, stores), told_of(change):
        update(tx, stores.clock.now(), family_named(tx, family_id), change.given())
    say({"publisherFamilyId": family_id, "updated": True}, as_json=json)


@family.command("delete")
def delete_family(family_id: IdArgument, data: DataOption = None, json: JsonOption = False) -> None:
    """Delete a family and revoke its keys and tokens. Its publishers remain."""
    from handbill.access.families import delete_family as delete

    with writing(data) as (tx, stores):
        delete(tx, stores.clock.now(), family_named(tx, family_id))
    say({"publisherFamilyId": family_id, "deleted": True}, as_json=json)


@family.command("add-key")
def add_key(family_id: IdArgument, data: DataOption = None, json: JsonOption = False) -> None:
    """Create a further key of a family; it is printed only this once."""
    from handbill.access.service import add_key as add

    with writing(data) as (tx, stores):
        owner = Owner("partner", family_named(tx, family_id).no)
        key = add(tx, stores.ids, stores.clock.now(), owner)
    say({"publisherFamilyId": family_id, "apiKey": key}, as_json=json)


@family.command("rotate-key")
def rotate_key(
    family_id: IdArgument,
    prefix: PrefixArgument,
    overlap_hours: Annotated[
        int,
        typer.Option(
            min=0, max=MOST_OVERLAP_HOURS, help="Hours for which the former key remains valid."
        ),
    ] = 24,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Replace a key by a new one, which is printed only this once."""
    from handbill.access.service import rotate_key as rotate

    with writing(data) as (tx, stores):
        owner = Owner("partner", family_named(tx, family_id).no)
        with _known_key(prefix):
            now = stores.clock.now()
            key = rotate(tx, stores.ids, now, owner, prefix, overlap_hours * HOUR)
    say({"publisherFamilyId": family_id, "apiKey": key}, as_json=json)


@family.command("revoke-key")
def revoke_key(
    family_id: IdArgument,
    prefix: PrefixArgument,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Revoke a key at once."""
    from handbill.access.service import revoke_key as revoke

    with writing(data) as (tx, stores):
        owner = Owner("partner", family_named(tx, family_id).no)
        with _known_key(prefix):
            revoke(tx, stores.clock.now(), owner, prefix)
    say({"publisherFamilyId": family_id, "revoked": prefix}, as_json=json)


def _ids(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _known_key(prefix: str) -> AbstractContextManager[None]:
    return missing_told(f"the family has no live key {prefix!r}; `show` lists its keys")
