"""Whether both sides of a client's books agree: what was judged, and its entries."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any, NamedTuple

from handbill.core.charging import SEALED, CounterKey
from handbill.core.job_caps import Count
from handbill.core.judging import ENTRY_DISPOSITIONS, KINDS, PARKED, balance_of
from handbill.ledger import counter_rows, counting, daily_sums, rows
from handbill.ledger.runs import RECEIVED, REDELIVERED
from handbill.ledger.terms import zones_of
from handbill.store.records import Tx

MOST_FAULTS = 1_000


@dataclass(slots=True)
class Books:
    """``sums`` by name, over all clients; ``faults``: what does not balance, in plain words."""

    sums: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    @property
    def balanced(self) -> bool:
        return not self.faults

    def blame(self, fault: str) -> None:
        if len(self.faults) < MOST_FAULTS and fault not in self.faults:
            self.faults.append(fault)


class ClientBooks(NamedTuple):
    """One client's side of the books, read at the same moment as everything else of its part."""

    client_no: int
    zone: tzinfo
    tallies: dict[tuple[str, str], int]
    counters: dict[CounterKey, int]
    parked: dict[str, int]
    retired: dict[tuple[str, str], int]
    retired_counters: dict[CounterKey, int]
    counts: set[Count]
    days: dict[str, list[int]]
    days_of_places: dict[str, list[int]]
    retired_days: dict[str, list[int]]


def books_of(tx: Tx, client_nos: list[int], since_on: str) -> list[ClientBooks]:
    """The side of each of these clients, as the transaction sees it."""
    zones = zones_of(tx, client_nos)
    days = daily_sums.held_against(tx, client_nos, since_on)
    return [
        ClientBooks(
            client_no,
            zones[client_no],
            rows.tallies_of(tx, client_no),
            counter_rows.counters_of(tx, client_no),
            rows.parked_counts(tx, client_no),
            rows.retired_tallies(tx, client_no),
            counter_rows.retired_counters_of(tx, client_no),
            counting.counts_of(tx, client_no),
            *(some.get(client_no, {}) for some in days),
        )
        for client_no in client_nos
    ]


def check_received(moment: ClientBooks, books: Books) -> None:
    """Everything received has a result, and the parked count matches the table of parked events."""
    for kind in KINDS:
        tally = {what: value for (of, what), value in moment.tallies.items() if of == kind}
        received = tally.pop(RECEIVED, 0)
        tally.pop(REDELIVERED, None)
        books.sums[RECEIVED] += received
        for what, value in tally.items():
            books.sums[what] += value
        if short := balance_of(received, tally.items()):
            books.blame(f"client {moment.client_no}: {kind}: {short} received came to nothing")
        if tally.get(PARKED, 0) != moment.parked.get(kind, 0):
            books.blame(
                f"client {moment.client_no}: {kind}: {tally.get(PARKED, 0)} are said to be parked, "
                f"{moment.parked.get(kind, 0)} are"
            )


def told_by_tallies(tallies: Mapping[tuple[str, str], int]) -> dict[tuple[str, str], int]:
    """The number of entries that the tallies tell, by kind and disposition."""
    return {key: value for key, value in tallies.items() if key[1] in ENTRY_DISPOSITIONS and value}


def with_retired(entries: Mapping[Any, int], retired: Mapping[Any, int]) -> dict[Any, int]:
    """The sums of the entries, including retired ones."""
    return dict(Counter(entries) + Counter(retired))


def as_sealed(
    every: Mapping[CounterKey, int], counters: Mapping[CounterKey, int]
) -> dict[CounterKey, int]:
    """Sums with the days of a sealed counter added up in one, except those it still has."""
    used: dict[CounterKey, int] = {}
    for key, value in every.items():
        sealed = key._replace(period=SEALED)
        kept = key if key in counters or sealed not in counters else sealed
        used[kept] = used.get(kept, 0) + value
    return used


def compare(
    moment: ClientBooks, noun: str, told: Mapping[Any, int], fold: Mapping[Any, int], books: Books
) -> None:
    """Compare both sides by key; no key may be on one side only."""
    for key in sorted(told.keys() | fold.keys()):
        if told.get(key, 0) != fold.get(key, 0):
            books.blame(
                f"client {moment.client_no}: {noun} {' '.join(key)} says {told.get(key, 0)}, "
                f"the entries say {fold.get(key, 0)}"
            )


def compare_days(
    moment: ClientBooks, entries: Mapping[str, list[int]], since_on: str, books: Books
) -> None:
    """What is noted for a day equals the sum of its entries, and the sum of its places."""
    recent = {day_on: sums for day_on, sums in entries.items() if day_on >= since_on}
    for day_on, left in moment.retired_days.items():
        recent[day_on] = list(map(int.__add__, left, recent.get(day_on, [0] * len(left))))
    for days, whose in ((recent, "entries"), (moment.days_of_places, "places")):
        for day_on in sorted(moment.days.keys() | days.keys()):
            if moment.days.get(day_on) != days.get(day_on):
                books.blame(
                    f"client {moment.client_no}: the sums of {day_on} are not those of its {whose}"
                )
