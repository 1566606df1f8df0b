"""Re-judging an open month: its clicks are classed again by what is in force now.

What differs is corrected, some at a time, each part in one transaction under the judge's fence: cut
short anywhere, what was corrected is so wholly, and the next run finds the rest. Run again, it adds
nothing. Caps are not asked anew: what had no room has none now.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final, NamedTuple

import duckdb

from handbill.access import keys
from handbill.core.address_lists import AddressList
from handbill.core.charging import CounterKey, Place
from handbill.core.closing import is_closed
from handbill.core.definition_versions import InForce, version_of
from handbill.core.entries import Entry
from handbill.core.judging import COUNTED, masked_ip
from handbill.core.nouns import Client
from handbill.core.rejudging import (
    LONGEST_WINDOW,
    Became,
    Outcome,
    Past,
    Present,
    Rejudging,
    Verdict,
)
from handbill.core.sightings import decode
from handbill.definitions import service as definitions
from handbill.host.clock import Clock
from handbill.host.ids import Ids
from handbill.host.settings import Settings
from handbill.kit.batches import batches
from handbill.kit.faults import Unavailable, refused_state
from handbill.kit.instants import Instant
from handbill.kit.zones import bounds_of, days_of_period, zone_of
from handbill.ledger import agents, counter_rows, counting, rows, tellings, turns, waking
from handbill.ledger.client_entries import entries_of
from handbill.ledger.correcting import Asked, Correcting, Corrections
from handbill.ledger.counting import Counting
from handbill.ledger.runs import Added, Rules, rules_of
from handbill.ledger.terms import read_terms
from handbill.publishers.service import publishers_by_number
from handbill.store import marks, segment_files, segments
from handbill.store.blobs import Blobs
from handbill.store.records import Records, Tx

MOST: Final = 500_000
"""Clicks that one run corrects; the next one goes on."""
_AT_ONCE: Final = 2_000
_READ_AT_ONCE: Final = 5_000
_MEMORY_MB: Final = 512
_TRIES: Final = 20
_EVER: Final = 2**62
_FIELDS: Final = Entry.__struct_fields__
_NAMED: Final = ", ".join(f'"{name}"' for name in _FIELDS)
_STANDING: Final = (
    "(SELECT * FROM entries ANTI JOIN (SELECT corrects AS id FROM entries WHERE sign < 0) "
    "USING (id) WHERE sign > 0)"
)
_CLICKS: Final = (
    "SELECT id, click_at, disposition, publisher_no, visitor, ip, agent, opened_at, seen, "
    f"""definition, "at" >= $first FROM {_STANDING} WHERE kind = 'CLICK' """
    """AND "at" >= $since AND "at" < $end """
    # As they were judged: one that came after its window was opened is behind who opened it.
    "ORDER BY greatest(click_at, opened_at), opened_at >= click_at, id"
)
_ASKED: Final = (
    "SELECT DISTINCT publisher_no, definition FROM entries "
    """WHERE kind = 'CLICK' AND "at" >= $since AND "at" < $end"""
)
_OF_IDS: Final = f"SELECT {_NAMED} FROM {_STANDING} WHERE id IN (SELECT unnest($ids))"
_APPLIES: Final = (
    f"SELECT {_NAMED} FROM {_STANDING} WHERE kind = 'APPLY' AND bid_type = 'CPA' "
    f"AND disposition = '{COUNTED}' AND click_id IN (SELECT unnest($clicks))"
)


class Stale(Exception):
    """What was planned follows from what is not so any more: another correction, definition or
    cap. It is planned again.
    """


class Desk(NamedTuple):
    """What re-judging works with."""

    records: Records
    blobs: Blobs
    clock: Clock
    ids: Ids
    rules: Rules
    scratch: Path


class Month(NamedTuple):
    """A month of a client's zone; ``end`` is exclusive."""

    name: str
    first: Instant
    end: Instant


@dataclass(slots=True)
class Told:
    """What a run has come to so far (see ``Outcome``). ``became``: how many clicks, by what they
    were, are, and why.
    """

    only_looked: bool
    looked_at: int = 0
    became: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)
    applies: int = 0
    charge_micros: int = 0
    spend_micros: int = 0
    marked_micros: int = 0
    is_more: bool = False

    def add(self, made: Corrections) -> None:
        self.became.update(made.told)
        self.applies += made.applies
        for entry in made.entries:
            self.charge_micros += entry.charge_micros
            self.spend_micros += entry.spend_micros
            self.marked_micros += entry.marked_micros

    def outcome(self) -> Outcome:
        return Outcome(
            self.looked_at,
            tuple(Became(*what, clicks) for what, clicks in sorted(self.became.items())),
            dict(self.unknown),
            self.applies,
            self.charge_micros,
            self.spend_micros,
            self.marked_micros,
            self.is_more,
        )


@dataclass(slots=True)
class _Plan:
    """``turn``: of the client, as it was planned. ``presents``: by publisher, what is in force."""

    turn: int
    presents: dict[int, Present]
    verdicts: dict[bytes, Verdict]
    judged: Rejudging


def month_of(client: Client, name: str, now: Instant) -> Month:
    """A month of a client that may be judged again. **Refuses** (400) one that is closed, and one
    that is still to come.
    """
    zone = zone_of(client.zone)
    first_on, last_on = (date.fromisoformat(day) for day in days_of_period(f"M{name}"))
    first, end = bounds_of(first_on, last_on, zone)
    if is_closed(first, now, zone):
        raise refused_state("month", "is closed: nothing in it changes any more")
    if first > now:
        raise refused_state("month", "is still to come")
    return Month(name, first, end)


def desk_of(records: Records, blobs: Blobs, clock: Clock, ids: Ids, settings: Settings) -> Desk:
    """Where an installation's months are judged again."""
    with records.read() as tx:
        key = list(keys.secret(tx, "visitor").values())[-1]
    rules, scratch = rules_of(settings, key), settings.scratch_folder
    return Desk(records, blobs, clock, ids, rules, scratch)


def rejudge(desk: Desk, client: Client, month_name: str, *, only_looks: bool = False) -> Told:
    """Correct what clicks of a month are something else now; ``only_looks``: tell what that would
    be. **Refuses** as ``month_of``; (Unavailable) while others change what it follows from.
    """
    told = Told(only_looks)
    for _ in range(_TRIES):
        month = month_of(client, month_name, desk.clock.now())
        plan = _planned(desk, client, month)
        told.looked_at, told.unknown = plan.judged.looked_at, plan.judged.unknown
        told.is_more = len(plan.verdicts) > MOST
        try:
            _correct(desk, client, month, plan, told)
        except Stale:
            continue
        return told
    raise Unavailable("others correct this client, or change its definitions: try again later")


# ── planning ────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def _month_shown(
    desk: Desk, tx: Tx, client_no: int, first: Instant, end: Instant
) -> Iterator[duckdb.DuckDBPyConnection | None]:
    """A question to the client's entries of these days; None where there are none."""
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


def _planned(desk: Desk, client: Client, month: Month) -> _Plan:
    since = month.first - LONGEST_WINDOW
    with desk.records.read() as tx:
        presents: dict[int, Present] = {}
        known: dict[str, str | None] = {}
        judged = Rejudging(presents.__getitem__, known.get)
        plan = _Plan(turns.turn_of(tx, client.no), presents, {}, judged)
        with _month_shown(desk, tx, client.no, since, month.end) as duck:
            if duck is None:
                return plan
            bounds = {"since": since, "end": month.end}
            asked = duck.execute(_ASKED, bounds).fetchall()
            presents |= _presents(tx, desk.rules, client.no, {no for no, _ in asked})
            then = tellings.in_force(tx, {version for _, version in asked})
            found = duck.execute(_CLICKS, {"first": month.first, **bounds})
            while some := found.fetchmany(_READ_AT_ONCE):
                _learn(tx, known, some, then)
                for *row, is_own in some:
                    past = _past(row, then, desk.rules)
                    if not is_own:
                        plan.judged.before(past)
                    else:
                        verdict = plan.judged.verdict(past)
                        if verdict is not None and len(plan.verdicts) <= MOST:
                            plan.verdicts[past.id] = verdict
    return plan


def _past(row: Sequence[Any], then: Mapping[str, InForce], rules: Rules) -> Past:
    id_, at, disposition, publisher_no, visitor, ip, agent, opened_at, seen, version = row
    is_whole = rules.ip_mode == "full" and ip and masked_ip(ip, "truncated", b"") != ip
    return Past(
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
    then: Mapping[str, InForce],
) -> None:
    """Whether agents are bots' by the lists of now, where other lists held."""
    lists = agents.VERSION
    new = {row[6] for row in some if (it := then.get(row[9])) is None or it.agents != lists}
    new -= known.keys()
    known.update(dict.fromkeys(new))
    texts = tellings.texts_of(tx, new) if new else {}
    known.update({digest: agents.bot_reason(text) for digest, text in texts.items()})


def _presents(tx: Tx, rules: Rules, client_no: int, nos: set[int]) -> dict[int, Present]:
    """What is in force at each publisher for a client."""
    publishers = publishers_by_number(tx, nos)
    held = definitions.held_at(tx, ((it, client_no) for it in publishers.values()), rules.otherwise)
    found = {}
    for no in nos:
        own = held.get((no, client_no), definitions.Held(rules.otherwise))
        listed = definitions.bot_list(tx, own.list_key[0]) if own.list_key else AddressList(())
        force = InForce(own.rules, rules.honoured, rules.stale, agents.VERSION, listed.version)
        found[no] = Present(force, listed)
    return found


# ── correcting ──────────────────────────────────────────────────────────────────────────────────


def _correct(desk: Desk, client: Client, month: Month, plan: _Plan, told: Told) -> None:
    """Part by part: all that gives back before all that is to be paid, so that it is the same
    however often it is cut short.
    """
    pending: Counter[CounterKey] = Counter()
    turn = plan.turn
    gives = [id_ for id_, verdict in plan.verdicts.items() if verdict.reason][:MOST]
    takes = [id_ for id_, verdict in plan.verdicts.items() if not verdict.reason][:MOST]
    for ids in (*batches(gives, _AT_ONCE), *batches(takes, _AT_ONCE)):
        with (
            desk.records.read() as tx,
            entries_of(tx, desk.blobs, desk.scratch, client.no) as entries,
        ):
            found = entries.rows(month.first, month.end, _within(_OF_IDS), ids=ids)
        clicks = [_entry(row) for row in found]
        if len(clicks) != len(ids):
            raise Stale
        work = [(click, plan.verdicts[click.id]) for click in clicks]
        if told.only_looked:
            with desk.records.read() as tx:
                made = _worked_out(desk, tx, client, month, plan, work, pending)
            pending.update(made.counters)
        else:
            made = _booked(desk, client, month, plan, work, turn)
            turn += 1
            desk.records.give_way()
        told.add(made)


def _within(text: str) -> str:
    return f'{text} AND "at" >= $first AND "at" < $end'


def _entry(row: Sequence[Any]) -> Entry:
    return Entry(**dict(zip(_FIELDS, row, strict=True)))


_Work = Sequence[tuple[Entry, Verdict]]


def _worked_out(
    desk: Desk,
    tx: Tx,
    client: Client,
    month: Month,
    plan: _Plan,
    work: _Work,
    pending: Mapping[CounterKey, int],
) -> Corrections:
    now, nos = desk.clock.now(), {click.publisher_no for click, _ in work}
    present = _presents(tx, desk.rules, client.no, nos)
    if any(present[no].force != plan.presents[no].force for no in nos):
        raise Stale
    asked = Asked(
        list(work),
        {},
        {no: version_of(plan.presents[no].force.encoded()) for no in nos},
    )
    paid_by_apply = [click.click_id for click, _ in work if click.bid_type == "CPA"]
    if paid_by_apply:
        with entries_of(tx, desk.blobs, desk.scratch, client.no) as entries:
            found = entries.rows(month.first, _EVER, _within(_APPLIES), clicks=paid_by_apply)
        by_click: dict[bytes, list[Entry]] = {}
        for row in found:
            apply = _entry(row)
            by_click.setdefault(apply.click_id, []).append(apply)
        asked.applies = by_click
    every = [click for click, _ in work]
    every += [apply for some in asked.applies.values() for apply in some]
    terms = read_terms(
        tx,
        {Place(one.client_no, one.campaign_no, one.group_no, one.publisher_no) for one in every},
        desk.rules.otherwise,
        {bytes.fromhex(one.job_id) for one in every},
        date.fromisoformat(f"{month.name}-01"),
    )[client.no]
    begins = Counting(desk.blobs, desk.scratch)
    return Correcting(tx, begins, terms, client.no, now).corrections(asked, pending)


def _booked(
    desk: Desk, client: Client, month: Month, plan: _Plan, work: _Work, turn: int
) -> Corrections:
    """One part, in one transaction. **Refuses** (Stale) what does not follow any more."""
    with desk.records.write() as tx:
        marks.hold_fence(tx)
        now = desk.clock.now()
        month_of(client, month.name, now)
        if not turns.take(tx, client.no, turn):
            raise Stale
        made = _worked_out(desk, tx, client, month, plan, work, {})
        # A judge that has read before this books nothing of it: counters and clicks are others now.
        former = marks.read(tx)
        marks.put(tx, former, former.judged_at, {})
        if not counting.put(tx, made.counting):
            raise Stale
        by_month: dict[str, list[Entry]] = {}
        for entry in made.entries:
            by_month.setdefault(segments.month_of(entry.at), []).append(entry)
        written = [
            segments.write(desk.blobs, segments.path_of(name, now, desk.ids), entries)
            for name, entries in sorted(by_month.items())
        ]
        segments.register(tx, written, now)
        rows.change_clicks(tx, made.clicks)
        rows.add_tallies(tx, made.tallies)
        counter_rows.add_counters(tx, ((client.no, key, by) for key, by in made.counters.items()))
        versions = {version_of(body): body for body in _bodies(plan, work)}
        tellings.Told().note(tx, [Added(versions=versions)], now)
        if made.tills is not None:
            waking.wake(tx, {client.no: made.tills.spending.short}, now)
    return made


def _bodies(plan: _Plan, work: _Work) -> set[bytes]:
    return {plan.presents[click.publisher_no].force.encoded() for click, _ in work}
