"""What is there already, found for a command by the names that its user gave."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from handbill.access import families
from handbill.access import service as access
from handbill.access.service import Agency, Owner
from handbill.cli.speaking import Mistaken, act, settings_with
from handbill.clients import service as clients
from handbill.core.nouns import Client, Family
from handbill.host.outside import of_this_machine
from handbill.host.settings import Settings
from handbill.kit.faults import Refused
from handbill.kit.instants import Instant
from handbill.opening import Opened, open_tools, opened, prepare, require_records
from handbill.store.records import Tx
from handbill.work.tools import Tools

AgencyOption = Annotated[str | None, typer.Option("--agency", metavar="A", help="The agency's id.")]
FamilyOption = Annotated[
    str | None, typer.Option("--family", metavar="F", help="Or the publisher family's id.")
]


def standing(data: str | None) -> Settings:
    """The settings of records that are there, made ready. **Refuses** a folder without records
    (Unusable): of a mistyped one we would make empty ones, and tell of those.
    """
    settings = settings_with(data=data)
    act()
    require_records(settings)
    prepare(settings, of_this_machine(settings))
    return settings


@contextmanager
def opened_standing(data: str | None) -> Iterator[Opened]:
    """The stores of records that are there, for a while."""
    settings = standing(data)
    with opened(settings, of_this_machine(settings)) as stores:
        yield stores


def tools_standing(data: str | None) -> Tools:
    """What tasks work with, in records that are there."""
    settings = standing(data)
    return open_tools(settings, of_this_machine(settings))


@contextmanager
def writing(data: str | None) -> Iterator[tuple[Tx, Opened]]:
    """A transaction that may write, in records that are there."""
    with opened_standing(data) as stores, stores.records.write() as tx:
        yield tx, stores


@contextmanager
def writing_for(data: str | None, agency_id: str) -> Iterator[tuple[Tx, Opened, int]]:
    """The same on behalf of an agency, with its number. **Refuses** an unknown one (Mistaken)."""
    with writing(data) as (tx, stores):
        yield tx, stores, agency_named(tx, agency_id).no


@contextmanager
def missing_told(words: str) -> Iterator[None]:
    """What is not there (404) is told in these words (Mistaken); any other refusal speaks for
    itself.
    """
    try:
        yield
    except Refused as refused:
        if refused.status != 404:
            raise
        raise Mistaken(words) from refused


def agency_named(tx: Tx, agency_id: str) -> Agency:
    """**Refuses** an unknown one (Mistaken)."""
    with missing_told(f"there is no agency {agency_id!r}; `handbill agency list` names them"):
        return access.agency_of(tx, agency_id)


def owner_named(tx: Tx, agency_id: str | None, family_id: str | None) -> Owner:
    """The owner of the keys. **Refuses** an unknown owner (Mistaken), and none or two of them."""
    if (agency_id is None) == (family_id is None):
        raise typer.BadParameter("name their owner: --agency A, or --family F")
    if agency_id is not None:
        return Owner("agency", agency_named(tx, agency_id).no)
    assert family_id is not None, "one of the two is there"
    return Owner("partner", family_named(tx, family_id).no)


def family_named(tx: Tx, family_id: str) -> Family:
    """**Refuses** an unknown one (Mistaken)."""
    words = (
        f"there is no publisher family {family_id!r}; `handbill publisher-family list` names them"
    )
    with missing_told(words):
        return families.family_at_hand(tx, family_id)


def client_named(tx: Tx, client_id: str) -> Client:
    """The live client of that id, whosever it is. **Refuses** any other (Mistaken)."""
    at_work = clients.client_at_work(tx, client_id)
    if at_work is None or not at_work[1]:
        raise _no_client(client_id)
    return at_work[0]


def client_to_change(tx: Tx, client_id: str) -> Client:
    """``client_named``, locked until the transaction ends, and as its last change left it."""
    client = clients.hold(tx, client_named(tx, client_id).agency_no, client_id)
    if client is None:
        raise _no_client(client_id)
    return client


def _no_client(client_id: str) -> Mistaken:
    return Mistaken(f"there is no client {client_id!r}; `handbill client list` names an agency's")


def tried_now(
    data: str | None,
    name: str,
    waiting: bool,
    hurry: Callable[[Tx, Instant], object],
    run_due: Callable[[Tools, str], int],
) -> int:
    """How many of the things to be sent were tried, beside a running server: those that are due,
    and, if asked for, those that wait for their next attempt.
    """
    tools = tools_standing(data)
    try:
        if waiting:
            with tools.records.write() as tx:
                hurry(tx, tools.clock.now())
        return run_due(tools, f"{name}-{os.getpid()}")
    finally:
        tools.egress.close()
        tools.index.close()
        tools.records.close()
