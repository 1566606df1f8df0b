"""How a client's caps stand, and their forecasts, for those who ask; nothing is decided here.

What is used is read now; what publishers hold, what was missed, and how long a cap has stopped or
braked is as control noted it at its last tick.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta, tzinfo
from typing import Final, NamedTuple

from handbill.campaigns import service as campaigns
from handbill.control import cap_rows, week_rows
from handbill.control.cap_rows import CapNoted, PairSum
from handbill.control.hindering import Hindrances
from handbill.control.outlooks import Budget, Budgeted, Outlook, Unbilled
from handbill.control.stopping import mark_of_cap
from handbill.control.tree import Tended, Use, caps_of, in_millionths, used_of
from handbill.control.weeks import ALL, calendars_of
from handbill.core.charging import Place, Scope, entities_of
from handbill.core.in_force import Thing
from handbill.core.nouns import Campaign, Client, Group, Publisher
from handbill.core.pacing.caps import Days
from handbill.core.pacing.copies import ShownCopy
from handbill.core.pacing.curves import come_by, day_weights
from handbill.core.pacing.days import days_of, end_of
from handbill.core.pacing.outlook import (
    DayUsed,
    Missed,
    forecast,
    in_budget_ppm,
    limited,
    pace_ppm,
    unspent,
)
from handbill.core.standing.capping import CapKey
from handbill.core.standing.reasons import PLAIN, Resolved
from handbill.groups import service as groups
from handbill.kit.instants import Instant
from handbill.kit.money import PPM
from handbill.kit.zones import day_of, days_of_period, period_key, start_of, zone_of
from handbill.ledger import service as ledger
from handbill.listings import copies
from handbill.publishers import service as publishers
from handbill.rates import service as rates
from handbill.standing import service as standing
from handbill.store.records import Tx

_DAY: Final = timedelta(days=1)
_EVIDENCE: Final = 7 * _DAY
"""How many days a forecast of a daily or lifetime cap goes by: counters of single days are kept for
at least so long.
"""
_MOST_DAYS: Final = 366
"""Of a lifetime cap."""
_UNNOTED: Final = CapNoted()


def budget_of(tx: Tx, client: Client, now: Instant, ceiling_ppm: int) -> Budget:
    """How a client's caps stand, from the records of one moment."""
    every = {one.no: one for one in campaigns.campaigns_of(tx, client.no)}
    live = {
        one.no: one
        for one in groups.groups_of(tx, client.no)
        if not one.is_default and one.campaign_no in every
    }
    look = _looked(tx, client, now, every, live, ceiling_ppm)
    of_campaign: dict[int, list[Budgeted]] = {no: [] for no in every}
    for group in live.values():
        of_campaign[group.campaign_no].append(look.entity("group", group))
    evaluation = standing.evaluation_of(tx, client.no)
    return Budget(
        client=look.entity("client", client),
        currency=rates.exchange_of(tx, client, now).currency,
        today=look.today,
        evaluated_at=evaluation.evaluated_at if evaluation.number else None,
        below=[(look.entity("campaign", one), of_campaign[no]) for no, one in every.items()],
    )


class _Span(NamedTuple):
    """What caps of the same period and days share, computed once. ``past``: the weight of the days
    before today; ``part_ppm``: the part of the period in which the cap exists; ``since``: the first
    day that its forecast goes by.
    """

    first: date
    last: date | None
    begun_at: Instant
    period: str
    weights: Sequence[int]
    ahead: Days
    left: Sequence[int]
    past: int
    part_ppm: int
    since: date


@dataclass(frozen=True, slots=True)
class _Look:
    """One look at a client. ``owned``: the caps of each client, campaign and job group, and of its
    placements; ``begun``: its first day; ``passed``: the part of today's traffic that has come;
    ``sums``: by period and entity.
    """

    now: Instant
    today: date
    zone: tzinfo
    publishers: Mapping[int, Publisher]
    caps: Mapping[CapKey, Tended]
    owned: Mapping[Thing, Sequence[CapKey]]
    begun: Mapping[Thing, date]
    used: Mapping[CapKey, Use]
    daily: Mapping[CapKey, Mapping[str, int]]
    weekdays: Sequence[int]
    passed: float
    days: Sequence[tuple[str, int]]
    """Some months before today, each day with its weekday."""
    noted: Mapping[CapKey, CapNoted]
    ceilings: Mapping[CapKey, int]
    standings: Mapping[Thing, Resolved]
    sums: Mapping[str, Mapping[Thing, Sequence[PairSum]]]
    held: Mapping[int, ShownCopy]
    hindrances: Hindrances
    ceiling_ppm: int
    spans: dict[tuple[object, ...], _Span] = field(default_factory=dict)

    def entity(self, kind: Scope, one: Client | Campaign | Group) -> Budgeted:
        thing: Thing = (kind, f"{one.no}")
        resolved = self.standings.get(thing, PLAIN)
        return Budgeted(one, resolved, [self._outlook(key) for key in self.owned.get(thing, ())])

    def _outlook(self, key: CapKey) -> Outlook:
        scope, entity, _ = key
        tended = self.caps[key]
        cap, span = tended.cap, self._span(tended, self.begun[_owner_of(key)])
        mark = mark_of_cap(key, tended, self.used[key], cap.value, span.ahead, self.ceiling_ppm)
        ahead = forecast(mark, self._days(key, span), span.left)
        noted = self.noted.get(key, _UNNOTED)
        spell = limited(
            noted.limited,
            span.period,
            span.begun_at,
            self.now,
            holds=noted.limited.since_at is not None,
        )
        some = self.sums[cap.period].get((scope, entity), ())
        publisher = self.publishers.get(int(entity.partition("/")[2] or 0))
        return Outlook(
            key=key,
            cap=cap,
            publisher_id=publisher.id if publisher else "",
            first=span.first,
            last=span.last,
            mark=mark,
            ceiling=self.ceilings.get(key),
            noted=noted,
            ahead=ahead,
            pace_ppm=pace_ppm(mark, span.past, self.passed, span.left),
            in_budget_ppm=in_budget_ppm(spell, span.begun_at, self.now),
            missed=Missed(
                sum(one.missed_by_bid for one in some) // PPM,
                sum(one.missed_by_listing for one in some) // PPM,
            ),
            unbilled=list(self._unbilled(some)),
            unspent=unspent(mark, ahead, list(self.hindrances.of(key)), span.part_ppm),
        )

    def _span(self, tended: Tended, begun: date) -> _Span:
        key = tended.cap.period, tended.last, tended.weekdays, begun
        return self.spans.get(key) or self.spans.setdefault(key, self._spanned(tended, begun))

    def _spanned(self, tended: Tended, begun: date) -> _Span:
        kind = tended.cap.period
        period = period_key(kind, self.today)
        starts_on, _ = days_of_period(period)  # "" for a lifetime
        starts = date.fromisoformat(starts_on) if starts_on else None
        first = begun if starts is None else max(begun, starts)
        ends = [one for one in (end_of(kind, self.today), tended.last) if one is not None]
        last = min(ends, default=None)
        is_open = first <= self.today and last is not None and self.today <= last
        weights = tended.weights(self.weekdays)
        ahead = days_of(kind, self.today, weights, tended.last)
        left = ahead.weights if is_open else ()
        past = sum(weights[weekday] for _, weekday in self._past(first))
        whole = past if starts is None else sum(weights[day] for _, day in self._past(starts))
        return _Span(
            first=first,
            last=last,
            begun_at=start_of(first, self.zone),
            period=period,
            weights=weights,
            ahead=ahead,
            left=left,
            past=past,
            part_ppm=PPM * (past + sum(left)) // max(1, whole + sum(left)),
            since=first if kind in {"Weekly", "Monthly"} else max(begun, self.today - _EVIDENCE),
        )

    def _days(self, key: CapKey, span: _Span) -> list[DayUsed]:
        """The days of a forecast: of the cap's week or month; for other caps, the last few."""
        used = self.daily.get(key, {})
        return [
            DayUsed(span.weights[weekday], in_millionths(key, used.get(day_on, 0)))
            for day_on, weekday in self._past(span.since)
        ]

    def _past(self, first: date) -> Sequence[tuple[str, int]]:
        """The days from one on, before today."""
        count = (self.today - first).days
        return self.days[-count:] if count > 0 else ()

    def _unbilled(self, some: Iterable[PairSum]) -> Iterator[Unbilled]:
        by_publisher: dict[int, tuple[int, int]] = {}
        for one in some:
            count, micros = by_publisher.get(one.publisher_no, (0, 0))
            by_publisher[one.publisher_no] = (
                count + one.unbilled,
                micros + one.unbilled_micros,
            )
        for no, (count, micros) in sorted(by_publisher.items()):
            publisher, held = self.publishers.get(no), self.held.get(no)
            if count and publisher is not None:
                yield Unbilled(publisher, count, micros, held.rhythm if held else None)


def _owner_of(key: CapKey) -> Thing:
    """The client, campaign or job group with which a cap is shown."""
    scope, entity, _ = key
    no = entity.partition("/")[0]
    if scope in {"placement", "group"}:
        return "group", no
    return ("client", no) if scope == "client" else ("campaign", no)


def _looked(
    tx: Tx,
    client: Client,
    now: Instant,
    every: Mapping[int, Campaign],
    live: Mapping[int, Group],
    ceiling_ppm: int,
) -> _Look:
    zone = zone_of(client.zone)
    today = day_of(now, zone)
    known = {one.no: one for one in publishers.publishers_of(tx, client.agency_no)}
    caps = caps_of(client, every, live, known)
    owned: dict[Thing, list[CapKey]] = {}
    for key in caps:
        owned.setdefault(_owner_of(key), []).append(key)
    placed = {it.publisher_id for one in live.values() for it in one.body.placements}
    nos = {no for no, one in known.items() if one.id in placed}
    shared = calendars_of(week_rows.weeks_of(tx, nos), nos, zone)[ALL]
    curve = shared.curve(today)
    firsts = {
        period: days_of_period(period_key(period, today))[0]
        for period in {one.cap.period for one in caps.values()}
    }
    came = {first: cap_rows.sums_of(tx, live, first) for first in {*firsts.values()}}
    short = {one.publisher_no for some in came.values() for one in some if one.unbilled}
    since_on = min([(today - _EVIDENCE).isoformat(), *filter(None, firsts.values())])
    noted = cap_rows.notes_of(tx, client.no)
    standings = standing.resolved_of(tx, client.no)
    return _Look(
        now=now,
        today=today,
        zone=zone,
        publishers=known,
        caps=caps,
        owned=owned,
        begun=_begun(client, every, live, zone),
        used=used_of(tx, client, caps, today),
        daily=ledger.used_by_days(tx, caps, since_on, today),
        weekdays=day_weights(shared.shape),
        passed=come_by(curve, now) / curve.whole,
        days=_days_before(today),
        noted=noted,
        ceilings=_ceilings(tx, client.no, today),
        standings=standings,
        sums={
            period: _by_entity(client.no, live, caps, came[first])
            for period, first in firsts.items()
        },
        held=copies.held(tx, short, now, client.no) if short else {},
        hindrances=Hindrances(
            client.no,
            live,
            {key: one.felt for key, one in noted.items()},
            standings,
            standing.aimed_at(tx, client.no),
        ),
        ceiling_ppm=ceiling_ppm,
    )


def _days_before(today: date) -> list[tuple[str, int]]:
    days = (today - by * _DAY for by in range(_MOST_DAYS, 0, -1))
    return [(day.isoformat(), day.weekday()) for day in days]


def _ceilings(tx: Tx, client_no: int, today: date) -> dict[CapKey, int]:
    """The ceilings that the judge applies today."""
    return {
        (one.scope, one.entity, one.measure): one.most
        for one in standing.ceilings_since(tx, [client_no], today).get(client_no, ())
        if one.day_on == today.isoformat()
    }


def _begun(
    client: Client, every: Mapping[int, Campaign], live: Mapping[int, Group], zone: tzinfo
) -> dict[Thing, date]:
    """The first day of each: its creation, its start or its parent's first day, the latest."""

    def first(one: Client | Campaign | Group, above: date) -> date:
        start = date.fromisoformat(one.body.start_on) if one.body.start_on else above
        return max(day_of(one.created_at, zone), start, above)

    top = first(client, date.min)
    first_days: dict[Thing, date] = {("client", f"{client.no}"): top}
    for no, campaign in every.items():
        first_days["campaign", f"{no}"] = first(campaign, top)
    for no, group in live.items():
        first_days["group", f"{no}"] = first(group, first_days["campaign", f"{group.campaign_no}"])
    return first_days


def _by_entity(
    client_no: int, live: Mapping[int, Group], caps: Iterable[CapKey], some: Iterable[PairSum]
) -> dict[Thing, list[PairSum]]:
    by_entity: dict[Thing, list[PairSum]] = {key[:2]: [] for key in caps}
    for one in some:
        group = live.get(one.group_no)
        campaign_no = group.campaign_no if group else 0
        place = Place(client_no, campaign_no, one.group_no, one.publisher_no)
        for thing in entities_of(place):
            if thing in by_entity:
                by_entity[thing].append(one)
    return by_entity
