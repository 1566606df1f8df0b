"""``click-definition show``, ``set`` and ``clear``."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from handbill.cli.speaking import DataOption, JsonOption, Misspoken, read_body, say, told_of
from handbill.cli.standing import missing_told, writing_for
from handbill.core.nouns import Client, Publisher
from handbill.opening import Opened
from handbill.store.records import Tx

definition = typer.Typer(
    no_args_is_help=True, help="Click definitions: which clicks of a publisher are payable."
)
PublisherArgument = Annotated[str, typer.Argument(metavar="PUBLISHER", help="The publisher's id.")]
AgencyOption = Annotated[str, typer.Option("--agency", help="The agency that uses it.")]
ClientOption = Annotated[
    str | None, typer.Option("--client", help="For this client only; otherwise for all clients.")
]
Found = tuple[Opened, Tx, Publisher, Client | None]
_OFF = "off"


@contextmanager
def _at(
    data: str | None, agency_id: str, publisher_id: str, client_id: str | None
) -> Iterator[Found]:
    """The stores, a transaction, the publisher, and the client if one is named."""
    from handbill.clients.service import client_of
    from handbill.publishers.service import publisher_to_change

    with writing_for(data, agency_id) as (tx, stores, agency_no):
        with missing_told(f"the agency has no publisher {publisher_id!r}"):
            publisher = publisher_to_change(tx, agency_no, publisher_id)
        with missing_told(f"the agency has no client {client_id!r}"):
            client = client_of(tx, agency_no, client_id) if client_id else None
        yield stores, tx, publisher, client


@definition.command("show")
def show(
    publisher_id: PublisherArgument,
    agency_id: AgencyOption,
    client_id: ClientOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Print the definition; exit status 1 when there is none."""
    from handbill.contract.definitions.models import definition_told
    from handbill.definitions.service import bot_ips_count, definition_at
    from handbill.wire.models import spelled

    with _at(data, agency_id, publisher_id, client_id) as (_, tx, publisher, client):
        with missing_told("there is none; `handbill click-definition set` makes one"):
            current = definition_at(tx, publisher, client)
        whose = client.id if client else None
        answer = definition_told(publisher.id, whose, current, bot_ips_count(tx, current))
    say(spelled(answer), as_json=json)


@definition.command("set")
def change(
    publisher_id: PublisherArgument,
    agency_id: AgencyOption,
    client_id: ClientOption = None,
    preset: Annotated[
        str | None, typer.Option(help="Preset to start from: Default, 1 to 5.")
    ] = None,
    enable: Annotated[bool | None, typer.Option(help="Whether the definition applies.")] = None,
    bot: Annotated[bool | None, typer.Option(help="Whether clicks of bots are excluded.")] = None,
    duplicate: Annotated[
        str | None, typer.Option(help="Duplicate window in seconds, or off.")
    ] = None,
    latent: Annotated[
        str | None, typer.Option(help="Seconds after the job left the feed, or off.")
    ] = None,
    foreign: Annotated[str | None, typer.Option(help="COUNTRY, STATE, CITY, or off.")] = None,
    most_clicks: Annotated[
        str | None, typer.Option(help="Most clicks from one address per day, or off.")
    ] = None,
    bot_ips_url: Annotated[
        str | None, typer.Option(help="URL of a CSV with addresses of bots, or off.")
    ] = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Create or change a definition. Omitted options stay; `off` turns a rule off."""
    from handbill.contract.definitions.models import DefinitionChange
    from handbill.definitions.service import put

    options: dict[str, Any] = {
        "preset": preset,
        "enable": enable,
        "bot": bot,
        "duplicate": _number(duplicate, "--duplicate"),
        "latent": _number(latent, "--latent"),
        "foreign": foreign,
        "botIpsFileUrl": bot_ips_url,
    }
    given = _given(options)
    detectors = _given({"clicksPerAddressAndDay": _number(most_clicks, "--most-clicks")})
    if detectors:
        given["newBot"] = detectors
    read = read_body(DefinitionChange, given, "The click definition was not changed")
    at = _at(data, agency_id, publisher_id, client_id)
    with at as (stores, tx, publisher, client), told_of(read):
        now, can_locate = stores.clock.now(), bool(stores.settings.geo_file)
        put(tx, now, publisher, client, read.given(), can_locate=can_locate)
    show(publisher_id, agency_id, client_id, data, json)


@definition.command("clear")
def clear(
    publisher_id: PublisherArgument,
    agency_id: AgencyOption,
    client_id: ClientOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Remove a definition; the more general one applies again."""
    from handbill.definitions.service import delete

    at = _at(data, agency_id, publisher_id, client_id)
    with at as (stores, tx, publisher, client), missing_told("there is none to clear"):
        delete(tx, stores.clock.now(), publisher, client)
    say({"cleared": publisher_id, "clientId": client_id}, as_json=json)


def _given(said: dict[str, Any]) -> dict[str, Any]:
    """What was said; `off` as the API's null."""
    return {
        key: None if value == _OFF else value for key, value in said.items() if value is not None
    }


def _number(text: str | None, option: str) -> int | str | None:
    if text is None or text == _OFF:
        return text
    if not text.isdecimal():
        raise Misspoken(f"{option} {text!r} is neither a whole number nor `off`")
    return int(text)
