"""What became of one click, and why: everything that is still known, wherever it is now."""

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, NamedTuple

from handbill.access import keys
from handbill.core import sightings
from handbill.core.click_checks import CapThen, CheckStep, checks_of
from handbill.core.definition_versions import DefinitionInForce
from handbill.core.entries import Entry
from handbill.core.judging import DUPLICATE
from handbill.core.listing_tokens import Listing, open_click
from handbill.core.nouns import Client
from handbill.core.pacing.copies import ShownCopy
from handbill.core.price_ends import STANDS, LinkState
from handbill.core.received import Received, ReceivedClick, ReceivedConversion, click_of, decode
from handbill.core.sightings import Sighting
from handbill.core.spelled_tokens import ForeignToken
from handbill.core.trail import Kind
from handbill.host.settings import Settings
from handbill.kit.faults import not_found
from handbill.kit.instants import DAY, Instant
from handbill.ledger import rows, tellings
from handbill.ledger.classing import link_of
from handbill.ledger.client_entries import ClientEntries, entries_of
from handbill.ledger.judge import JudgeJournal
from handbill.ledger.used_then import caps_over
from handbill.listings import copies
from handbill.listings.standings import LinkFinder
from handbill.store import asides, marks
from handbill.store.blobs import Blobs
from handbill.store.journal_reading import JournalReader
from handbill.store.records import Tx

State = Literal["JUDGED", "ACKNOWLEDGED", "ABSENT"]
"""``ABSENT``: we have sealed its id, and nothing else about it is here."""
MOST_TOLD: Final = 1_000
"""The most conversions and corrections of one click."""
_MOST_LINES: Final = 10_000
_ID_BYTES: Final = 16
_PLAIN: Final = re.compile("[0-9a-f]{32}")
_EVER: Final = 2**62
_FIELDS: Final = Entry.__struct_fields__
_NAMED: Final = ", ".join(f'"{name}"' for name in _FIELDS)
_OF_CLICK: Final = (
    f'SELECT {_NAMED} FROM entries WHERE "at" >= $first AND "at" < $end AND click_id = $id '
    """ORDER BY kind <> 'CLICK', "at", id LIMIT $most"""
)
_OPENED: Final = (
    """SELECT id FROM entries WHERE "at" >= $first AND "at" < $end AND visitor = $visitor """
    "AND kind = 'CLICK' AND corrects = ''::BLOB LIMIT 1"
)
REASONS_OF_AGENTS: Final = frozenset(("agent_list", "agent_added"))
"""The reasons by which an agent is known as a program's, and not a person's browser."""


class NamedClick(NamedTuple):
    """A click by its id. ``listing``: what its link froze, which only the sealed id says; ``at``
    None: not known.
    """

    id: bytes
    at: Instant | None = None
    listing: Listing | None = None


@dataclass(slots=True)
class ExplainedClick:
    """``entry`` None: not yet judged. ``in_force``: what it was classed by; ``sighting``: what the
    judge saw; None: its entry does not say. ``agent``: only if it is a program's. ``held``: the
    publisher's copy at the time; ``standing``: the state of its link's price now. ``first``: the
    click that it repeats. ``waiting``: conversions not yet judged. ``unknown``: the kinds of
    entities whose caps at the time are unknown.
    """

    named: NamedClick
    state: State
    entry: Entry | None = None
    in_force: DefinitionInForce | None = None
    sighting: Sighting | None = None
    agent: str | None = None
    checks: list[CheckStep] = field(default_factory=list)
    caps: list[CapThen] = field(default_factory=list)
    unknown: list[Kind] = field(default_factory=list)
    held: ShownCopy | None = None
    standing: LinkState | None = None
    first: bytes | None = None
    of_it: list[Entry] = field(default_factory=list)
    waiting: list[ReceivedConversion] = field(default_factory=list)


class ExplainSources(NamedTuple):
    """The sources that are read. ``kept_since``: earlier entries and ends of prices may have been
    deleted.
    """

    tx: Tx
    blobs: Blobs
    journal: JudgeJournal
    scratch: Path
    now: Instant
    kept_since: Instant


def desk_of(tx: Tx, blobs: Blobs, settings: Settings, now: Instant) -> ExplainSources:
    """The sources for explaining an installation's clicks."""
    return ExplainSources(
        tx,
        blobs,
        JournalReader(settings.journal_folder),
        settings.scratch_folder,
        now,
        now - settings.retention_days * DAY,
    )


def named(tx: Tx, client: Client, text: str) -> NamedClick:
    """The click of an id: the sealed one added to the job's URL, or the 32 hex digits of the
    ledger's export. **Refuses** what cannot be a click of the client (404).
    """
    try:
        id_, at, listing = open_click(text, keys.secret(tx, "listing"))
    except ForeignToken:
        id_, at, listing = _plain(text), None, None
    known = rows.clicked(tx, id_)
    whose = listing.client_no if listing else known[0] if known else client.no
    if whose != client.no:
        raise not_found()
    return NamedClick(id_, known[1] if known and at is None else at, listing)


def client_of(tx: Tx, text: str) -> int | None:
    """The number of the client whose click an id names; None if only its entry says it."""
    with suppress(ForeignToken):
        return open_click(text, keys.secret(tx, "listing")).listing.client_no
    known = rows.clicked(tx, _plain(text))
    return known[0] if known else None


def _plain(text: str) -> bytes:
    """The bytes of a plain id. **Refuses** all but 32 hex digits (404)."""
    if not _PLAIN.fullmatch(text):
        raise not_found()
    return bytes.fromhex(text)


def explain(desk: ExplainSources, client: Client, text: str) -> ExplainedClick:
    """Explain the client's click with that id. **Refuses** any other alike (404)."""
    click = named(desk.tx, client, text)
    arrived = list(_arrived(desk, client.no, click.id))
    clicked = [one for one in arrived if isinstance(one, ReceivedClick)]
    with entries_of(desk.tx, desk.blobs, desk.scratch, client.no) as held:
        answer = held.rows(click.at or 0, _EVER, _OF_CLICK, id=click.id, most=MOST_TOLD)
        entries = [Entry(**dict(zip(_FIELDS, row, strict=True))) for row in answer]
        own = next((one for one in entries if one.kind == "CLICK" and not one.corrects), None)
        assert all(len(one.id) == _ID_BYTES for one in entries), "an entry has an id"
        if own is not None:
            at = own.click_at
            made = ExplainedClick(click._replace(at=at), "JUDGED", own)
            _tell_judged(desk, held, made)
        elif clicked:
            (event, *_), at = clicked, clicked[0].at
            frozen = {name: getattr(event, name) for name in Listing.__struct_fields__}
            made = ExplainedClick(NamedClick(click.id, at, Listing(**frozen)), "ACKNOWLEDGED")
        elif click.listing is not None and click.at is not None:
            at = click.at
            made = ExplainedClick(click, "ABSENT")
        else:
            raise not_found()
    made.of_it = [one for one in entries if one is not own]
    made.waiting = [one for one in arrived if isinstance(one, ReceivedConversion)]
    _tell_link(desk, client, made, at)
    return made


def _arrived(desk: ExplainSources, client_no: int, id_: bytes) -> Iterator[Received]:
    """What belongs to a click and is not booked: waiting, set aside with its client, or parked."""
    tx, now = desk.tx, desk.now
    assert len(id_) == _ID_BYTES, "a click is known by its id"
    lines = desk.journal.read(marks.read(tx).of, _MOST_LINES, now).lines
    waiting: list[Received] = [event for line in lines for event in line.received]
    for _, body in asides.kept(tx, client_no, _MOST_LINES):
        waiting += decode(body)
    for row in rows.parked_for(tx, [id_], MOST_TOLD):
        waiting += decode(row.body[_ID_BYTES:])
    for event in waiting:
        if isinstance(event, ReceivedClick) and event.random == id_:
            is_its = event.client_no == client_no
        else:
            is_its = isinstance(event, ReceivedConversion) and (
                (event.client_no, event.click_random) == (client_no, id_)
            )
        if is_its:
            yield event


def _tell_judged(desk: ExplainSources, held: ClientEntries, made: ExplainedClick) -> None:
    """Add what the judge looked at, as far as it is still known."""
    entry = made.entry
    assert entry is not None, "it is judged"
    made.in_force = tellings.in_force(desk.tx, [entry.definition]).get(entry.definition)
    made.sighting = sightings.decode(entry.seen)
    reason = entry.reason.partition(" ")[0]
    rules = made.in_force.rules if made.in_force else None
    lists = made.in_force is not None and bool(made.in_force.addresses)
    made.checks = checks_of(entry.disposition, reason, rules, lists=lists)
    over = caps_over(desk.tx, held, entry, desk.now, desk.kept_since)
    made.caps, made.unknown = over.caps, over.unknown
    if reason in REASONS_OF_AGENTS:
        made.agent = tellings.texts_of(desk.tx, [entry.agent]).get(entry.agent)
    if entry.disposition == DUPLICATE and entry.opened_at:
        opened_at = entry.opened_at
        for (id_,) in held.rows(opened_at, opened_at + 1, _OPENED, visitor=entry.visitor):
            made.first = id_
    if made.named.listing is None and made.sighting is not None:
        made.named = made.named._replace(listing=_listing(entry, made.sighting))


def _listing(entry: Entry, sighting: Sighting) -> Listing:
    """What a click's link froze, from its entry."""
    return Listing(
        client_no=entry.client_no,
        campaign_no=entry.campaign_no,
        group_no=entry.group_no,
        publisher_no=entry.publisher_no,
        job_id=bytes.fromhex(entry.job_id),
        bid_type=entry.bid_type,  # type: ignore[arg-type]
        bid_micros=sighting.bid_micros,
        price_micros=sighting.price_micros,
        listed_at=entry.listed_at,
        quote=sighting.quote,
    )


def _tell_link(desk: ExplainSources, client: Client, made: ExplainedClick, at: Instant) -> None:
    """Add which copy the publisher had, and the state of the link's price."""
    listing = made.named.listing
    if listing is not None:
        made.held = copies.held_then(desk.tx, listing.publisher_no, client.no, at)
        link = link_of(click_of(made.named.id, at, listing, "", ""))
        standings = LinkFinder(desk.blobs).standings(desk.tx, [link], desk.kept_since)
        made.standing = standings.get(link, STANDS)
