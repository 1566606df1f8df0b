"""Which clicks of a month have another result now: they are looked at in order."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final, NamedTuple

import duckdb

from handbill.core.address_lists import AddressList
from handbill.core.closing import is_closed
from handbill.core.definition_versions import DefinitionInForce
from handbill.core.judging import masked_ip
from handbill.core.nouns import Client
from handbill.core.rejudging import (
    LONGEST_WINDOW,
    Anew,
    PastClick,
    Present,
    Rejudging,
)
from handbill.core.sightings import decode
from handbill.definitions import service as definitions
from handbill.host.clock import Clock
from handbill.host.ids import Ids
from handbill.kit.faults import refused_state
from handbill.kit.instants import Instant
from handbill.kit.zones import bounds_of, days_of_period, zone_of
from handbill.ledger import agents, tellings, turns
from handbill.ledger.runs import Rules
from handbill.publishers.service import publishers_by_number
from handbill.store import segment_files, segments
from handbill.store.blobs import Blobs
from handbill.store.records import Records, Tx

MOST: Final = 500_000
"""The most clicks that one run corrects; the next run goes on."""
_READ_AT_ONCE: Final = 5_000
_MEMORY_MB: Final = 512
STANDING: Final = (
    "(SELECT * FROM entries ANTI JOIN (SELECT corrects AS id FROM entries WHERE sign < 0) "
    "USING (id) WHERE sign > 0)"
)
_CLICKS: Final = (
    "SELECT id, click_at, disposition, publisher_no, visitor, ip, agent, opened_at, seen, "
    f"""definition, "at" >= $first FROM {STANDING} WHERE kind = 'CLICK' """
    """AND "at" >= $since AND "at" < $end """
    # In the order of judging: a late one follows the click that opened its window.
    "ORDER BY greatest(click_at, opened_at), opened_at >= click_at, id"
)
_ASKED: Final = (
    "SELECT DISTINCT publisher_no, definition FROM entries "
    """WHERE kind = 'CLICK' AND "at" >= $since AND "at" < $end"""
)


class RejudgingTools(NamedTuple):
    """The tools of rejudging."""

    records: Records
    blobs: Blobs
    clock: Clock
    ids: Ids
    rules: Rules
    scratch: Path


class ClientMonth(NamedTuple):
    """A month of a client's zone; ``end`` is exclusive."""

    name: str
    first: Instant
    end: Instant


@dataclass(slots=True)
class RejudgingPlan:
    """``turn``: the client's, when it was planned. ``presents``: by publisher, what is in force."""

    turn: int
    presents: dict[int, Present]
    anew: dict[bytes, Anew]
    judged: Rejudging


def month_of(client: Client, name: str, now: Instant) -> ClientMonth:
    """A month of a client that may be judged again. **Refuses** (400) a month that is closed or
    still to come.
    """
    zone = zone_of(client.zone)
    first_on, last_on = (date.fromisoformat(day) for day in days_of_period(f"M{name}"))
    first, end = bounds_of(first_on, last_on, zone)
    if is_closed(first, now, zone):
        raise refused_state("month", "is closed: nothing in it changes any more")
    if first > now:
        raise refused_state("month", "is still to come")
    return ClientMonth(name, first, end)


@contextmanager
def _month_shown(
    desk: RejudgingTools, tx: Tx, client_no: int, first: Instant, end: Instant
) -> Iterator[duckdb.DuckDBPyConnection | None]:
    """A query connection to the client's entries of these days; None if there are none."""
    listed = segments.segments_within(tx, client_no, first, end)
    if not listed:
        yield None
        return
    with (
        segment_files.all_sound(desk.blobs, listed, desk.scratch) as files,
        segment_files.query(desk.scratch, memory_mb=_MEMORY_MB, threads=1) as duck,
    ):
        segment_files.show(duck, files, client_no)
        yield duck


def planned(desk: RejudgingTools, client: Client, month: ClientMonth) -> RejudgingPlan:
    since = month.first - LONGEST_WINDOW
    with desk.records.read() as tx:
        presents: dict[int, Present] = {}
        known: dict[str, str | None] = {}
        judged = Rejudging(presents.__getitem__, known.get)
        plan = RejudgingPlan(turns.turn_of(tx, client.no), presents, {}, judged)
        with _month_shown(desk, tx, client.no, since, month.end) as duck:
            if duck is None:
                return plan
            bounds = {"since": since, "end": month.end}
            asked = duck.execute(_ASKED, bounds).fetchall()
            presents |= presents_at(tx, desk.rules, client.no, {no for no, _ in asked})
            then = tellings.in_force(tx, {version for _, version in asked})
            rows = duck.execute(_CLICKS, {"first": month.first, **bounds})
            while some := rows.fetchmany(_READ_AT_ONCE):
                _learn(tx, known, some, then)
                for *row, is_own in some:
                    past = _past(row, then, desk.rules)
                    if not is_own:
                        plan.judged.before(past)
                    else:
                        anew = plan.judged.look(past)
                        if anew is not None and len(plan.anew) <= MOST:
                            plan.anew[past.id] = anew
    assert len(plan.anew) <= plan.judged.looked_at, "only what was looked at is something else"
    return plan


def _past(row: Sequence[Any], then: Mapping[str, DefinitionInForce], rules: Rules) -> PastClick:
    id_, at, disposition, publisher_no, visitor, ip, agent, opened_at, seen, version = row
    is_whole = rules.ip_mode == "full" and ip and masked_ip(ip, "truncated", b"") != ip
    return PastClick(
        bytes(id_),
        at,
        disposition,
        publisher_no,
        bytes(visitor),
        ip if is_whole else "",
        agent,
        opened_at,
        decode(bytes(seen)),
        then.get(version),
    )


def _learn(
    tx: Tx,
    known: dict[str, str | None],
    some: Sequence[Sequence[Any]],
    then: Mapping[str, DefinitionInForce],
) -> None:
    """Look up whether agents are bots by the current lists, if other lists were in force."""
    lists = agents.VERSION
    new = {row[6] for row in some if (it := then.get(row[9])) is None or it.agents != lists}
    new -= known.keys()
    known.update(dict.fromkeys(new))
    texts = tellings.texts_of(tx, new) if new else {}
    known.update({digest: agents.bot_reason(text) for digest, text in texts.items()})


def presents_at(tx: Tx, rules: Rules, client_no: int, nos: set[int]) -> dict[int, Present]:
    """What is in force at each publisher for a client."""
    publishers = publishers_by_number(tx, nos)
    held = definitions.held_at(tx, ((it, client_no) for it in publishers.values()), rules.otherwise)
    presents = {}
    for no in nos:
        own = held.get((no, client_no), definitions.PublisherRules(rules.otherwise))
        listed = definitions.bot_list(tx, own.list_key[0]) if own.list_key else AddressList(())
        force = DefinitionInForce(
            own.rules, rules.honoured, rules.stale, agents.VERSION, listed.version
        )
        presents[no] = Present(force, listed)
    return presents
