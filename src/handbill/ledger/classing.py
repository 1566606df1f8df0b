"""What the records know of a batch's clicks beside their visitors: read once, before judging."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from handbill.core.address_lists import AddressList
from handbill.core.click_definitions import JobPlace, Location, Seen
from handbill.core.received import ReceivedClick
from handbill.definitions import service as definitions
from handbill.definitions.service import Held
from handbill.jobs import service as jobs
from handbill.kit.instants import Instant
from handbill.kit.zones import day_of, zone_of
from handbill.ledger import address_days
from handbill.ledger.address_days import AddressDay, address_day
from handbill.ledger.agents import bot_reason
from handbill.ledger.terms import Terms
from handbill.listings import service as listings
from handbill.store.records import Tx

_NO_ADDRESSES = AddressList(())


@dataclass(slots=True)
class Facts:
    """``left``: since when a listing (publisher, job) is in no feed. ``clicks``: of an address on a
    day so far, where a definition limits them. ``lists``: addresses of bots, by whose and when.
    """

    left: dict[tuple[int, bytes], Instant] = field(default_factory=dict)
    places: dict[bytes, JobPlace] = field(default_factory=dict)
    clicks: dict[AddressDay, int] = field(default_factory=dict)
    lists: dict[tuple[int, Instant], AddressList] = field(default_factory=dict)

    def seen(
        self, event: ReceivedClick, held: Held, opened_at: Instant | None, location: Location,
        clicks_before: int,
    ) -> Seen:  # fmt: skip
        """What a click is classed by."""
        listed = self.lists.get(held.list_key, _NO_ADDRESSES) if held.list_key else _NO_ADDRESSES
        return Seen(
            at=event.at,
            agent_is_bot=bot_reason(event.agent),
            address_is_bot=event.ip in listed,
            clicks_before=clicks_before,
            opened_at=opened_at,
            job_place=self.places.get(event.job_id),
            location=location,
            left_at=self.left.get((event.publisher_no, event.job_id)),
        )


class FactFinder:
    """Reads the facts of batches. Lists of addresses are kept: they are long and seldom change."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._lists: dict[tuple[int, Instant], AddressList] = {}

    def facts_of(
        self, tx: Tx, clicks: Mapping[int, Iterable[ReceivedClick]], terms: Mapping[int, Terms]
    ) -> Facts:
        """What is known of these clicks, by client, under their terms."""
        listed: dict[int, set[bytes]] = {}
        placed: set[bytes] = set()
        counted: set[AddressDay] = set()
        keys: set[tuple[int, Instant]] = set()
        for client_no, event, held in _held(clicks, terms):
            if held.rules.latent_seconds is not None:
                listed.setdefault(event.publisher_no, set()).add(event.job_id)
            if held.rules.foreign is not None:
                placed.add(event.job_id)
            if held.list_key is not None:
                keys.add(held.list_key)
            if held.rules.most_clicks is not None:
                zone = zone_of(terms[client_no].zone)
                day_on = day_of(event.at, zone).isoformat()
                counted.add(address_day(self._key, client_no, day_on, event.ip))
        return Facts(
            listings.departures(tx, listed),
            jobs.places_of(tx, placed) if placed else {},
            address_days.known(tx, counted) if counted else {},
            self._lists_of(tx, keys),
        )

    def _lists_of(
        self, tx: Tx, keys: Iterable[tuple[int, Instant]]
    ) -> dict[tuple[int, Instant], AddressList]:
        self._lists = {
            key: self._lists.get(key) or definitions.bot_list(tx, key[0]) for key in keys
        }
        return self._lists


def _held(
    clicks: Mapping[int, Iterable[ReceivedClick]], terms: Mapping[int, Terms]
) -> Iterator[tuple[int, ReceivedClick, Held]]:
    for client_no, events in clicks.items():
        known = terms.get(client_no)
        for event in events if known else ():
            held = known.held.get(event.publisher_no) if known else None
            if held is not None:
                yield client_no, event, held
