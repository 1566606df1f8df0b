"""Rejudging an open month: its clicks are classed again by what is in force now.

Differences are corrected in parts, each in one transaction under the judge's fence. After a crash,
each part is corrected as a whole or not at all, and the next run finds the rest. Another run adds
nothing. Caps are not asked again: what had no room then has none now.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from handbill.access import keys
from handbill.core.charging import CounterKey, Place
from handbill.core.definition_versions import version_of
from handbill.core.entries import Entry
from handbill.core.judging import COUNTED
from handbill.core.nouns import Client
from handbill.core.rejudging import (
    Anew,
    Became,
    MonthOutcome,
)
from handbill.host.clock import Clock
from handbill.host.ids import Ids
from handbill.host.settings import Settings
from handbill.kit.batches import batches
from handbill.kit.faults import Unavailable
from handbill.kit.zones import zone_of
from handbill.ledger import counter_rows, counting, daily_sums, rows, tellings, turns, waking
from handbill.ledger.client_entries import entries_of
from handbill.ledger.correcting import ChangedClicks, Correcting, Corrections
from handbill.ledger.counting import Counting
from handbill.ledger.planning import (
    MOST,
    STANDING,
    ClientMonth,
    RejudgingPlan,
    RejudgingTools,
    month_of,
    planned,
    presents_at,
)
from handbill.ledger.runs import Added, rules_of
from handbill.ledger.terms import read_terms
from handbill.store import marks, segments
from handbill.store.blobs import Blobs
from handbill.store.records import Records, Tx

_AT_ONCE: Final = 2_000
_TRIES: Final = 20
_EVER: Final = 2**62
_FIELDS: Final = Entry.__struct_fields__
_NAMED: Final = ", ".join(f'"{name}"' for name in _FIELDS)
_OF_IDS: Final = f"SELECT {_NAMED} FROM {STANDING} WHERE id IN (SELECT unnest($ids))"
_APPLIES: Final = (
    f"SELECT {_NAMED} FROM {STANDING} WHERE kind = 'APPLY' AND bid_type = 'CPA' "
    f"AND disposition = '{COUNTED}' AND click_id IN (SELECT unnest($clicks))"
)


class Stale(Exception):
    """The plan follows from facts that have changed since: another correction, definition or cap.
    It is planned again.
    """


@dataclass(slots=True, kw_only=True)
class RejudgingTally:
    """The results of a run so far (see ``MonthOutcome``). ``became``: the number of clicks by
    former result, new result and reason.
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

    def outcome(self) -> MonthOutcome:
        became = (
            Became(former=former, disposition=now, reason=reason, clicks=clicks)
            for (former, now, reason), clicks in sorted(self.became.items())
        )
        return MonthOutcome(
            looked_at=self.looked_at,
            became=tuple(became),
            unknown=dict(self.unknown),
            applies=self.applies,
            charge_micros=self.charge_micros,
            spend_micros=self.spend_micros,
            marked_micros=self.marked_micros,
            is_more=self.is_more,
        )


def desk_of(
    records: Records, blobs: Blobs, clock: Clock, ids: Ids, settings: Settings
) -> RejudgingTools:
    """The tools for rejudging an installation's months."""
    with records.read() as tx:
        key = list(keys.secret(tx, "visitor").values())[-1]
    rules, scratch = rules_of(settings, key), settings.scratch_folder
    return RejudgingTools(records, blobs, clock, ids, rules, scratch)


def rejudge(
    desk: RejudgingTools, client: Client, month_name: str, *, only_looks: bool = False
) -> RejudgingTally:
    """Correct the clicks of a month whose result is different now; ``only_looks``: only report it.
    **Refuses** as ``month_of``; (Unavailable) while others change what it depends on.
    """
    tally = RejudgingTally(only_looked=only_looks)
    for _ in range(_TRIES):
        month = month_of(client, month_name, desk.clock.now())
        plan = planned(desk, client, month)
        tally.looked_at, tally.unknown = plan.judged.looked_at, plan.judged.unknown
        tally.is_more = len(plan.anew) > MOST
        try:
            _correct(desk, client, month, plan, tally)
        except Stale:
            continue
        assert tally.became.total() <= MOST * _TRIES, "each click is corrected once"
        return tally
    raise Unavailable("others correct this client, or change its definitions: try again later")


def _correct(
    desk: RejudgingTools,
    client: Client,
    month: ClientMonth,
    plan: RejudgingPlan,
    told: RejudgingTally,
) -> None:
    """Correct part by part: all that gives back before all that is to be paid, so that the result
    is the same however often it is interrupted.
    """
    pending: Counter[CounterKey] = Counter()
    turn = plan.turn
    gives = [id_ for id_, told in plan.anew.items() if told.reason][:MOST]
    takes = [id_ for id_, told in plan.anew.items() if not told.reason][:MOST]
    for ids in (*batches(gives, _AT_ONCE), *batches(takes, _AT_ONCE)):
        with (
            desk.records.read() as tx,
            entries_of(tx, desk.blobs, desk.scratch, client.no) as entries,
        ):
            answer = entries.rows(month.first, month.end, _within(_OF_IDS), ids=ids)
        clicks = [_entry(row) for row in answer]
        if len(clicks) != len(ids):
            raise Stale
        assert all(click.kind == "CLICK" for click in clicks), "clicks are judged again"
        work = [(click, plan.anew[click.id]) for click in clicks]
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


_Work = Sequence[tuple[Entry, Anew]]


def _worked_out(
    desk: RejudgingTools,
    tx: Tx,
    client: Client,
    month: ClientMonth,
    plan: RejudgingPlan,
    work: _Work,
    pending: Mapping[CounterKey, int],
) -> Corrections:
    now, nos = desk.clock.now(), {click.publisher_no for click, _ in work}
    present = presents_at(tx, desk.rules, client.no, nos)
    if any(present[no].force != plan.presents[no].force for no in nos):
        raise Stale
    asked = ChangedClicks(
        list(work),
        {},
        {no: version_of(plan.presents[no].force.encoded()) for no in nos},
    )
    paid_by_apply = [click.click_id for click, _ in work if click.bid_type == "CPA"]
    if paid_by_apply:
        with entries_of(tx, desk.blobs, desk.scratch, client.no) as entries:
            answer = entries.rows(month.first, _EVER, _within(_APPLIES), clicks=paid_by_apply)
        by_click: dict[bytes, list[Entry]] = {}
        for row in answer:
            apply = _entry(row)
            by_click.setdefault(apply.click_id, []).append(apply)
        asked.applies = by_click
    assert all(by in paid_by_apply for by in asked.applies), "an apply is of one of these clicks"
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
    desk: RejudgingTools,
    client: Client,
    month: ClientMonth,
    plan: RejudgingPlan,
    work: _Work,
    turn: int,
) -> Corrections:
    """Book one part, in one transaction. **Refuses** (Stale) a plan that is out of date."""
    with desk.records.write() as tx:
        marks.hold_fence(tx)
        now = desk.clock.now()
        month_of(client, month.name, now)
        if not turns.take(tx, client.no, turn):
            raise Stale
        made = _worked_out(desk, tx, client, month, plan, work, {})
        # A judge that read earlier books nothing: counters and clicks are different now.
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
        made_rows = sum(one.segment.rows for one in written)
        assert made_rows == len(made.entries), "every entry is in a segment"
        segments.register(tx, written, now)
        rows.change_clicks(tx, made.clicks)
        daily_sums.add(tx, daily_sums.rows_of([(zone_of(client.zone), made.entries)]))
        rows.add_tallies(tx, made.tallies)
        counter_rows.correct_counters(tx, client.no, made.counters)
        versions = {version_of(body): body for body in _bodies(plan, work)}
        tellings.Recorder().note(tx, [Added(versions=versions)], now)
        if made.tills is not None:
            waking.wake(tx, {client.no: made.tills.spending.short}, now)
    return made


def _bodies(plan: RejudgingPlan, work: _Work) -> set[bytes]:
    return {plan.presents[click.publisher_no].force.encoded() for click, _ in work}
