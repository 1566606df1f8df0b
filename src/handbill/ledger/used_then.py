"""The state of the caps over a click when it came: their values then, and their use.

None of it is kept with an entry. Former caps are the current ones with later changes undone. Their
use is what counters hold of the days before, and the day's own entries until then.
"""

from collections.abc import Iterable, Sequence
from datetime import date, tzinfo
from typing import Any, Final, NamedTuple

import msgspec

from handbill.changes import service as changes
from handbill.core.charging import JOB_SCOPES, CounterKey, Place, folded
from handbill.core.click_checks import CapThen, caps_then, counters_asked
from handbill.core.closing import is_closed
from handbill.core.entries import Entry
from handbill.core.job_caps import TakenOfJob, caps_of_job, count_of, folded_jobs
from handbill.core.markups import Marking
from handbill.core.nouns import CampaignBody, ClientBody, GroupBody, JobSettings
from handbill.core.trail import Kind, TrailEntity, trail_state
from handbill.jobs import service as jobs
from handbill.kit.instants import Instant
from handbill.kit.zones import day_of, days_of_period, start_of, zone_of
from handbill.ledger import rows
from handbill.ledger.client_entries import ClientEntries
from handbill.ledger.folding import ROOM
from handbill.ledger.service import used_by_days
from handbill.ledger.terms import Basis, numbers_of, read_basis, terms_of
from handbill.store.records import Tx

_TAKEN: Final = (
    "SELECT campaign_no, group_no, publisher_no, job_id = $job, sum(marked_micros), "
    "coalesce(sum(sign) FILTER (kind = 'CLICK'), 0), "
    "coalesce(sum(sign) FILTER (kind = 'APPLY'), 0) FROM entries "
    f"""WHERE "at" >= $first AND "at" < $end AND disposition IN ({ROOM}) AND kind <> 'POSTING' """
    "GROUP BY ALL"
)
_BODIES: Final[dict[Kind, tuple[type[msgspec.Struct], tuple[str, ...]]]] = {
    "CLIENT": (ClientBody, ("caps",)),
    "CAMPAIGN": (CampaignBody, ("caps", "placement_caps")),
    "JOB_GROUP": (GroupBody, ("caps", "placements", "former_placements")),
}
"""The entities that have the caps."""


class Over(NamedTuple):
    """``unknown``: the kinds of entities whose caps of then are no longer known; the current ones
    are used instead. ``marking``: the markups there, by instant.
    """

    caps: list[CapThen]
    unknown: list[Kind]
    marking: Marking | None


def caps_over(tx: Tx, held: ClientEntries, entry: Entry, now: Instant, kept_since: Instant) -> Over:
    """The caps over a click's place when it came. ``kept_since``: earlier entries may have left the
    ledger.
    """
    assert entry.kind == "CLICK", "caps are told over a click"
    place = Place(entry.client_no, entry.campaign_no, entry.group_no, entry.publisher_no)
    job_id = bytes.fromhex(entry.job_id)
    basis = read_basis(tx, [place], jobs=[job_id], since=date.min)
    if entry.client_no not in basis.clients:
        return Over([], [], None)
    zone = zone_of(basis.clients[entry.client_no].zone)
    day = day_of(entry.at, zone)
    basis, unknown = _rewound(tx, basis, entry, now)
    terms = terms_of(basis)[entry.client_no]
    limits = (
        *terms.limits.get(place, ()),
        *terms.of_job(place.group_no, place.publisher_no, job_id),
    )
    asked = counters_asked(limits, day)
    if entry.at == entry.click_at:
        use = _Use(tx, held, entry, zone, day, kept_since)
        used = use.before_it(asked, is_open=not is_closed(entry.at, now, zone))
    else:  # it was dated into an open month, at its first instant with others
        used = dict.fromkeys(asked)
    caps = caps_then(limits, day, used, entry.reason.partition(" ")[0])
    return Over(caps, unknown, terms.markings.get(place))


# ── what the caps were ──────────────────────────────────────────────────────────────────────────


def _rewound(tx: Tx, basis: Basis, entry: Entry, now: Instant) -> tuple[Basis, list[Kind]]:
    """The same with the caps as they were when an entry came."""
    client = basis.clients[entry.client_no]
    assert client.no == entry.client_no, "the caps are its own client's"
    now = max(now, entry.at)  # the clock of the host that took it may be ahead of ours
    unknown: list[Kind] = []

    def then(kind: Kind, id_: str, former: dict[str, Any]) -> dict[str, Any]:
        entity = TrailEntity(kind, id_, client.agency_no, client.no)
        state = changes.state_at(tx, entity, trail_state(former), entry.at, now)
        if state is None:
            unknown.append(kind)
        return trail_state(former) if state is None else state

    def noun(kind: Kind, one: Any) -> Any:
        of, names = _BODIES[kind]
        state = then(kind, one.id, {name: getattr(one.body, name) for name in names})
        types = {field.name: field.type for field in msgspec.structs.fields(of)}
        former = {name: msgspec.convert(state[name], types[name]) for name in names}
        return msgspec.structs.replace(one, body=msgspec.structs.replace(one.body, **former))

    groups = {no: noun("JOB_GROUP", one) for no, one in basis.groups.items()}
    settings = then("JOB", entry.job_id, {"settings": jobs.settings_of(tx, entry.job_id)})
    of_job = caps_of_job(msgspec.convert(settings["settings"], JobSettings))
    rewound = basis._replace(
        clients={no: noun("CLIENT", one) for no, one in basis.clients.items()},
        campaigns={no: noun("CAMPAIGN", one) for no, one in basis.campaigns.items()},
        groups=groups,
        capped={} if of_job is None else {bytes.fromhex(entry.job_id): of_job},
        numbers=numbers_of(tx, basis.clients, groups),
    )
    return rewound, unknown


# ── what was used of them ───────────────────────────────────────────────────────────────────────


class _Use(NamedTuple):
    tx: Tx
    held: ClientEntries
    entry: Entry
    zone: tzinfo
    day: date
    kept_since: Instant

    def before_it(
        self, asked: Iterable[CounterKey], *, is_open: bool
    ) -> dict[CounterKey, int | None]:
        """The use of each of these counters by everything before the entry; None if it is no longer
        known. ``is_open``: counters still have the days of its month separately.

        Counters of jobs are kept only while a cap is in force: for these only the ledger is asked.
        """
        asked = list(asked)
        assert self.entry.at == self.entry.click_at, "it is dated as it came"
        today = self.day.isoformat()
        counted = {key: self._of_days_before(key) for key in asked if is_open and not _is_job(key)}
        begins = {key: today if key in counted else days_of_period(key.period)[0] for key in asked}
        used: dict[CounterKey, int | None] = {}
        for first_on in {*begins.values()}:
            some = [key for key in asked if begins[key] == first_on]
            first = start_of(date.fromisoformat(first_on), self.zone) if first_on else 0
            if first < self.kept_since and rows.retired_tallies(self.tx, self.entry.client_no):
                used.update(dict.fromkeys(some))
                continue
            sums = self._summed(first, some)
            for key in some:
                used[key] = counted.get(key, 0) + sums.get(_of_day(key, self.day), 0)
        return used

    def _of_days_before(self, key: CounterKey) -> int:
        of = key.scope, key.entity, key.measure
        first_on, _ = days_of_period(key.period)
        return sum(used_by_days(self.tx, [of], first_on, self.day).get(of, {}).values())

    def _summed(self, first: Instant, some: Sequence[CounterKey]) -> dict[CounterKey, int]:
        """The use by entries since an instant and before this one, as if it were all of its day."""
        one = self.entry
        assert first <= one.at, "a period begins before what is in it"
        places: list[tuple[Place, date, tuple[int, int, int]]] = []
        of_job: list[TakenOfJob] = []
        for campaign_no, group_no, publisher_no, is_its_job, *taken in self.held.rows(
            first, one.at, _TAKEN, job=one.job_id
        ):
            amounts = int(taken[0]), int(taken[1]), int(taken[2])
            place = Place(one.client_no, campaign_no, group_no, publisher_no)
            places.append((place, self.day, amounts))
            if is_its_job:
                of_job.append(TakenOfJob(*place[:1], *place[2:], one.job_id, self.day, amounts))
        counts = [count_of(key) for key in some if _is_job(key)]
        return folded(places) | folded_jobs(of_job, counts)


def _is_job(key: CounterKey) -> bool:
    return key.scope in JOB_SCOPES


def _of_day(key: CounterKey, day: date) -> CounterKey:
    return key._replace(period=f"D{day.isoformat()}")
