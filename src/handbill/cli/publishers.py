"""``publisher``: the API's operations on publishers, for the operator of an installation."""

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from handbill.cli.speaking import (
    DataOption,
    JsonOption,
    Mistaken,
    body_in,
    decimal_in,
    read_body,
    say,
    say_lines,
    told_of,
    warn,
)
from handbill.cli.standing import missing_told, writing_for
from handbill.core.nouns import Publisher
from handbill.host.outside import of_this_machine
from handbill.kit.instants import MINUTE, iso_of
from handbill.kit.jsons import encode
from handbill.opening import open_tools
from handbill.store.records import Tx

if TYPE_CHECKING:
    from handbill.listings.delivering import DeliveryState

publisher = typer.Typer(no_args_is_help=True, help="Publishers: where jobs are advertised.")
IdArgument = Annotated[str, typer.Argument(metavar="ID", help="The publisher's id.")]
AgencyOption = Annotated[str, typer.Option("--agency", help="The agency whose publisher it is.")]
BodyOption = Annotated[
    str | None,
    typer.Option("--json-body", metavar="FILE", help="A body of the API; - reads standard input."),
]
_PAGE = 1_000


@publisher.command("create")
def create_publisher(
    publisher_id: IdArgument,
    agency_id: AgencyOption,
    bid_type: Annotated[
        str | None, typer.Option(help="CPC, CPA, FLAT_CPC, Organic or PPP; CPC if absent.")
    ] = None,
    min_bid: Annotated[str | None, typer.Option(help="Lowest bid it accepts.")] = None,
    flat_bid: Annotated[str | None, typer.Option(help="The bid of a FLAT_CPC publisher.")] = None,
    currency: Annotated[str | None, typer.Option(help="ISO 4217; the agency's if absent.")] = None,
    name: Annotated[str | None, typer.Option(help="Display name; the id if absent.")] = None,
    json_body: BodyOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Create a publisher of an agency. Options override --json-body."""
    from handbill.contract.publishers.models import NewPublisher
    from handbill.listings import minding

    options = {
        "id": publisher_id,
        "name": name,
        "bidType": bid_type,
        "currency": currency,
        "minBid": None if min_bid is None else decimal_in(min_bid, "--min-bid"),
        "flatBidValue": None if flat_bid is None else decimal_in(flat_bid, "--flat-bid"),
    }
    body = body_in(json_body) if json_body is not None else {}
    if isinstance(body, dict):
        body = {"name": publisher_id} | body | {k: v for k, v in options.items() if v is not None}
    new = read_body(NewPublisher, body, "The publisher was not created")
    with writing_for(data, agency_id) as (tx, stores, agency_no), told_of(new):
        made = minding.create(tx, stores.ids, stores.clock.now(), agency_no, **new.given())
    say({"publisherId": made.id, "agencyId": agency_id}, as_json=json)


@publisher.command("list")
def list_publishers(
    agency_id: AgencyOption, data: DataOption = None, json: JsonOption = False
) -> None:
    """List an agency's publishers, oldest first."""
    from handbill.contract.publishers.models import PublisherPage, publisher_told
    from handbill.publishers.service import publishers_of
    from handbill.wire.models import spelled

    with writing_for(data, agency_id) as (tx, _, agency_no):
        publishers = publishers_of(tx, agency_no)
    if json:
        rows = [publisher_told(one, agency_id) for one in publishers]
        say_lines([encode(spelled(PublisherPage.of(rows=rows)))])
        return
    for one in publishers:
        line = f"{one.id:<24}  {one.status}  {one.body.bid_type:<8}  {one.body.name}"
        say_lines([line.encode()])


@publisher.command("show")
def show_publisher(
    publisher_id: IdArgument,
    agency_id: AgencyOption,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Print a publisher as in the API, without its passwords."""
    from handbill.contract.publishers.models import publisher_with_feed
    from handbill.listings import copies, minding
    from handbill.wire.models import spelled

    with writing_for(data, agency_id) as (tx, stores, agency_no):
        named = _publisher_of(tx, agency_no, publisher_id)
        now = stores.clock.now()
        url = minding.feed_url(tx, stores.ids, stores.settings, now, named)
        held = copies.copy_of(tx, named.no, now)
    say(spelled(publisher_with_feed(named, agency_id, url, held)), as_json=json)


@publisher.command("update")
def update_publisher(
    publisher_id: IdArgument,
    agency_id: AgencyOption,
    json_body: Annotated[
        str,
        typer.Option(
            "--json-body",
            metavar="FILE",
            help="The body of PUT /publishers; - reads standard input.",
        ),
    ],
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Change a publisher. Omitted fields stay; null clears them."""
    from handbill.contract.publishers.models import PublisherChange
    from handbill.listings import minding

    change = read_body(PublisherChange, body_in(json_body), "The publisher was not changed")
    with writing_for(data, agency_id) as (tx, stores, agency_no), told_of(change):
        named = _publisher_of(tx, agency_no, publisher_id)
        minding.update(tx, stores.clock.now(), named, change.given())
    say({"publisherId": publisher_id, "updated": True}, as_json=json)


@publisher.command("pause")
def pause_publisher(
    publisher_id: IdArgument,
    agency_id: AgencyOption,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Pause a publisher; its feeds become empty."""
    _switch(publisher_id, agency_id, "P", data=data, json=json)


@publisher.command("enable")
def enable_publisher(
    publisher_id: IdArgument,
    agency_id: AgencyOption,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Enable a paused publisher; its feeds are filled again."""
    _switch(publisher_id, agency_id, "A", data=data, json=json)


@publisher.command("delete")
def delete_publisher(
    publisher_id: IdArgument,
    agency_id: AgencyOption,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Delete a publisher; its feeds become empty, past clicks remain."""
    from handbill.listings import minding

    with writing_for(data, agency_id) as (tx, stores, agency_no):
        minding.delete(tx, stores.clock.now(), _publisher_of(tx, agency_no, publisher_id))
    say({"publisherId": publisher_id, "deleted": True}, as_json=json)


@publisher.command("feeds")
def publisher_feeds(
    publisher_id: IdArgument,
    agency_id: AgencyOption,
    client_id: Annotated[
        str | None, typer.Option("--client", help="Include the feed of this client.")
    ] = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Print the addresses of a publisher's feeds: of all clients, and of one."""
    from handbill.clients.service import find_client
    from handbill.listings import minding

    with writing_for(data, agency_id) as (tx, stores, agency_no):
        named = _publisher_of(tx, agency_no, publisher_id)
        asked = (tx, stores.ids, stores.settings, stores.clock.now(), named)
        urls = {"publisherId": publisher_id, "feedUrl": minding.feed_url(*asked)}
        if client_id is not None:
            client = find_client(tx, agency_no, client_id)
            if client is None:
                raise Mistaken(f"the agency has no client {client_id!r}; GET /clients lists them")
            urls |= {"clientId": client_id, "clientFeedUrl": minding.feed_url(*asked, client.no)}
    say(urls, as_json=json)


@publisher.command("rhythms")
def publisher_rhythms(
    agency_id: AgencyOption, data: DataOption = None, json: JsonOption = False
) -> None:
    """Print who fetches each feed file, how often, when next, and which version it has."""
    from handbill.clients.service import clients_by_number
    from handbill.listings.copies import copies_of
    from handbill.publishers.service import publishers_of

    with writing_for(data, agency_id) as (tx, stores, agency_no):
        names = {one.no: one.id for one in publishers_of(tx, agency_no)}
        copies = copies_of(tx, names, stores.clock.now())
        clients = clients_by_number(tx, {copy.client_no for copy in copies})
    for copy in copies:
        client, held = clients.get(copy.client_no), copy.held
        row = {
            "publisherId": names[copy.publisher_no],
            "clientId": client and client.id,
            "jobs": copy.job_count,
            "program": held.reader or None,
            "lastFetchAt": iso_of(held.fetched_at) if held.fetched_at else None,
            "fetchRhythmMinutes": round(held.rhythm / MINUTE),
            "nextFetchAt": iso_of(held.next_at),
            "heldVersion": iso_of(held.version) if held.version else None,
            "notFetched": held.lost,
        }
        say_lines([encode(row) if json else _rhythm(row).encode()])


def _rhythm(row: dict[str, Any]) -> str:
    whose = f"{row['publisherId']:<24}  {row['clientId'] or 'all clients':<36}"
    if row["lastFetchAt"] is None:
        return f"{whose}  never fetched" + (", for three days" if row["notFetched"] else "")
    every = f"every {row['fetchRhythmMinutes']} min by {row['program']}"
    end = "  NOT FETCHED any more" if row["notFetched"] else f"  next {row['nextFetchAt']}"
    return f"{whose}  {row['lastFetchAt']}  {every}  has {row['heldVersion']}{end}"


@publisher.command("deliver")
def deliver_publisher(
    publisher_id: IdArgument,
    agency_id: AgencyOption,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Deliver all of a publisher's files by FTP now; print the result of each."""
    from handbill.contract.deliveries.models import Delivery, DeliveryPage
    from handbill.listings.delivering import is_delivered
    from handbill.listings.work import deliver_now
    from handbill.wire.models import spelled

    with writing_for(data, agency_id) as (tx, stores, agency_no):
        named = _publisher_of(tx, agency_no, publisher_id)
    if not is_delivered(named):
        raise Mistaken(
            f"{publisher_id} is not delivered by FTP; set deliverFeedByFTP and ftpConfig"
        )
    tools = open_tools(stores.settings, of_this_machine(stores.settings))
    try:
        if not deliver_now(tools, named.no, f"deliver-{os.getpid()}"):
            warn("a fetcher is delivering right now; it will deliver all of it again")
        with tools.records.read() as tx:
            rows = list(_deliveries(tx, named, tools.clock.now()))
    finally:
        tools.egress.close()
        tools.index.close()
        tools.records.close()
    if json:
        say_lines([encode(spelled(DeliveryPage.of(rows=list(map(Delivery.of, rows)))))])
    else:
        say_lines([_line(row).encode() for row in rows])
    if any(row.state != "DELIVERED" for row in rows):
        raise typer.Exit(1)


def _deliveries(tx: Tx, found: Publisher, now: int) -> "Iterator[DeliveryState]":
    from handbill.listings.delivering import page

    skip, total = 0, 1
    while skip < total:
        rows, total = page(tx, found, now, skip, _PAGE)
        yield from rows
        skip += _PAGE


def _line(row: "DeliveryState") -> str:
    end = row.failure or ("" if row.size is None else f"{row.size} bytes")
    if row.state == "WAITING":
        end = "the file is not yet written; a running server writes it"
    return f"{row.path:<40}  {row.state:<9}  {end}"


def _switch(
    publisher_id: str, agency_id: str, status: str, *, data: str | None, json: bool
) -> None:
    from handbill.listings import minding

    with writing_for(data, agency_id) as (tx, stores, agency_no):
        minding.switch(tx, stores.clock.now(), _publisher_of(tx, agency_no, publisher_id), status)
    say({"publisherId": publisher_id, "activeStatus": status}, as_json=json)


def _publisher_of(tx: Tx, agency_no: int, publisher_id: str) -> Publisher:
    from handbill.publishers.service import publisher_to_change

    words = f"the agency has no publisher {publisher_id!r}; `handbill publisher list` lists them"
    with missing_told(words):
        return publisher_to_change(tx, agency_no, publisher_id)
