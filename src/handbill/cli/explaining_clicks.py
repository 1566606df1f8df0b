"""``explain click``."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from handbill.cli.speaking import DataOption, JsonOption, Mistaken, say_lines
from handbill.cli.standing import client_named, missing_told, opened_standing
from handbill.clients.service import clients_by_number
from handbill.kit.instants import iso_of
from handbill.kit.jsons import encode
from handbill.kit.money import number_of

if TYPE_CHECKING:
    from handbill.contract.explain.clicks import ClickCap, ClickExplanation, ClickLink, OfClick

_WIDTH = 24


def explain_click(
    click_id: Annotated[
        str,
        typer.Argument(
            metavar="CLICK", help="The jClickId, or the clickId of the ledger's export."
        ),
    ],
    client_id: Annotated[
        str | None,
        typer.Option("--client", metavar="C", help="Its client's id, where the id is older."),
    ] = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Explain what became of a click: each check, each cap, its charge, what followed."""
    from handbill.contract.explain.telling import click_told
    from handbill.ledger import explaining
    from handbill.wire.models import spelled

    words = f"there is no click {click_id!r}" + (f" of {client_id!r}" if client_id else "")
    with opened_standing(data) as stores, stores.records.read() as tx, missing_told(words):
        if client_id is not None:
            client = client_named(tx, client_id)
        else:
            no = explaining.client_of(tx, click_id)
            if no is None:
                raise Mistaken(f"{words}; of an old one, say whose it is: --client C")
            client = clients_by_number(tx, [no])[no]
        desk = explaining.desk_of(tx, stores.blobs, stores.settings, stores.clock.now())
        answer = click_told(tx, client, explaining.explain(desk, client, click_id))
    say_lines([encode(spelled(answer))] if json else (line.encode() for line in lines_of(answer)))


def lines_of(told: "ClickExplanation") -> Iterator[str]:
    """An explanation for people."""
    yield _line("click", f"{told.click_id}  {iso_of(told.at)}")
    yield _line("", told.words)
    if told.disposition is not None:
        yield _line("counts as", f"{told.disposition}{f' ({told.reason})' if told.reason else ''}")
    yield _line("job", f"{told.ref or 'not known any more'}  {told.job_id}")
    yield _line(
        "at", f"{told.publisher_id}, job group {told.group_id}, campaign {told.campaign_id}"
    )
    yield from _link(told.link)
    for check in told.checks:
        yield _line("check", f"{check.step} {check.found}: {check.words}")
    for cap in told.caps:
        yield _line("cap", _cap(cap))
    if told.charge is not None:
        one = told.charge
        yield _line(
            "charge",
            f"{number_of(one.charge_micros)}, spend {number_of(one.spend_micros)}, "
            f"marked up {number_of(one.marked_micros)} {one.currency}",
        )
    for it in told.following:
        yield _line("followed", _of_it(it))
    for other in told.corrections:
        yield _line("taken back" if other.sign < 0 else "replaced by", _of_it(other))
    for text in told.unknown:
        yield _line("not known", text)


def _line(name: str, text: str) -> str:
    return f"{name:<{_WIDTH}}{text}"


def _link(link: "ClickLink") -> Iterator[str]:
    if link.bid_micros is not None and link.price_micros is not None:
        bid, price = number_of(link.bid_micros), number_of(link.price_micros)
        yield _line("link", f"{link.bid_type} bid {bid}, price {price}")
    if link.listed_at is not None:
        yield _line("", f"in the file since {iso_of(link.listed_at)}")
    if link.version is not None and link.fetched_at is not None:
        had = f"the version of {iso_of(link.version)}, fetched {iso_of(link.fetched_at)}"
        yield _line("", f"the publisher had {had}")
    if link.ended_at is not None:
        yield _line("", f"its price ended {iso_of(link.ended_at)}")


def _cap(cap: "ClickCap") -> str:
    at = f" at {cap.publisher_id}" if cap.publisher_id else ""
    what = f"ceiling of {cap.ceiling_on}" if cap.ceiling_on else f"{cap.period} {cap.measure}"
    used = "not known" if cap.used is None else f"{cap.used}"
    reserved = f", {cap.reserved} reserved for others" if cap.reserved else ""
    ends = "; it had no room" if cap.decided else ""
    now = "; the cap as it is set now" if cap.as_now else ""
    return f"{cap.level}{at}: {what} {cap.value}, used {used}{reserved}{ends}{now}"


def _of_it(one: "OfClick") -> str:
    why = f" ({one.reason})" if one.reason else ""
    application = f" {one.application_id}" if one.application_id else ""
    paid = f", charge {one.charge_micros}" if one.charge_micros else ""
    return f"{iso_of(one.at)} {one.kind}{application}: {one.disposition}{why}{paid}"
