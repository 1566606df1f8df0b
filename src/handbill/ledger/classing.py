"""What the records know about a batch's clicks beside their visitors: read once, before judging."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from handbill.core.address_lists import AddressList
from handbill.core.click_definitions import ClickEvidence, JobPlace, Location
from handbill.core.definition_versions import DefinitionInForce, version_of
from handbill.core.price_ends import STANDS, Frozen, LinkState, ShownLine
from handbill.core.received import ReceivedClick
from handbill.definitions import service as definitions
from handbill.definitions.service import PublisherRules
from handbill.jobs import service as jobs
from handbill.kit.instants import DAY, Instant
from handbill.kit.zones import day_of, zone_of
from handbill.ledger import address_days, agents
from handbill.ledger.address_days import AddressDay, address_day
from handbill.ledger.terms import ClientTerms
from handbill.listings.standings import FrozenLink, LinkFinder
from handbill.store.blobs import Blobs
from handbill.store.records import Tx

_NO_ADDRESSES = AddressList(())


@dataclass(slots=True)
class ClassingFacts:
    """``standings``: of links whose price has ended, or may have; ``honoured``: how long an ended
    price still counts. ``clicks``: of an address on a day so far, if a definition limits them.
    ``lists``: addresses of bots, by owner and time. ``stale``: see ``click_definitions.Evidence``.
    """

    standings: dict[FrozenLink, LinkState] = field(default_factory=dict)
    places: dict[bytes, JobPlace] = field(default_factory=dict)
    clicks: dict[AddressDay, int] = field(default_factory=dict)
    lists: dict[tuple[int, Instant], AddressList] = field(default_factory=dict)
    honoured: Instant = 2 * DAY
    stale: Instant = DAY
    versions: dict[PublisherRules, tuple[str, bytes]] = field(default_factory=dict)

    def version(self, held: PublisherRules) -> tuple[str, bytes]:
        """The version of all that clicks are classed by under these rules, and its content."""
        version = self.versions.get(held)
        if version is None:
            listed = self._list_of(held).version
            body = DefinitionInForce(
                held.rules, self.honoured, self.stale, agents.VERSION, listed
            ).encoded()
            version = self.versions[held] = version_of(body), body
        return version

    def _list_of(self, held: PublisherRules) -> AddressList:
        return self.lists.get(held.list_key, _NO_ADDRESSES) if held.list_key else _NO_ADDRESSES

    def standing(self, event: ReceivedClick) -> LinkState:
        """The standing of the event's link; most prices stand."""
        return self.standings.get(link_of(event), STANDS) if self.standings else STANDS

    def seen(
        self,
        event: ReceivedClick,
        standing: LinkState,
        held: PublisherRules,
        opened_at: Instant | None,
        location: Location,
        clicks_before: int,
    ) -> ClickEvidence:
        """The evidence by which a click is classed."""
        return ClickEvidence(
            at=event.at,
            agent_is_bot=agents.bot_reason(event.agent),
            address_is_bot=event.ip in self._list_of(held),
            clicks_before=clicks_before,
            opened_at=opened_at,
            job_place=self.places.get(event.job_id),
            location=location,
            left_at=standing.left_at,
            grace=self.honoured,
            forgotten=standing.forgotten,
            ahead=event.ahead,
            replaced_at=standing.replaced_at(self.honoured),
            stale=self.stale,
        )


def link_of(event: ReceivedClick) -> FrozenLink:
    """What a click's link froze."""
    line = ShownLine(frozen_of(event), event.listed_at)
    return FrozenLink(event.client_no, event.publisher_no, event.job_id, line)


def frozen_of(event: ReceivedClick) -> Frozen:
    """The amounts that a click's link froze."""
    return Frozen(event.group_no, event.bid_type, event.bid_micros, event.price_micros)


class FactFinder:
    """Reads the facts of batches. Lists of addresses are kept: they are long and seldom change.

    ``honoured``: how long an ended price still counts; ``stale``: the same for one that is shown
    nowhere. ``kept``: how far back ends are remembered. ``locates``: addresses can be located.
    """

    def __init__(
        self,
        key: bytes,
        blobs: Blobs,
        honoured: Instant,
        kept: Instant,
        stale: Instant,
        *,
        locates: bool,
    ) -> None:
        self._key = key
        self._links = LinkFinder(blobs)
        self._honoured = honoured
        self._kept = kept
        self._stale = stale
        self._locates = locates
        self._lists: dict[tuple[int, Instant], AddressList] = {}

    def facts_of(
        self,
        tx: Tx,
        clicks: Mapping[int, Iterable[ReceivedClick]],
        terms: Mapping[int, ClientTerms],
        now: Instant,
    ) -> ClassingFacts:
        """What is known about these clicks, by client, under their terms."""
        links: set[FrozenLink] = set()
        placed: set[bytes] = set()
        counted: set[AddressDay] = set()
        keys: set[tuple[int, Instant]] = set()
        for client_no, event, held in _held(clicks, terms):
            assert event.client_no == client_no, "clicks are under their own client"
            links.add(link_of(event))
            if held.rules.foreign is not None or self._locates:
                placed.add(event.job_id)
            if held.list_key is not None:
                keys.add(held.list_key)
            if held.rules.most_clicks is not None:
                zone = zone_of(terms[client_no].zone)
                day_on = day_of(event.at, zone).isoformat()
                counted.add(address_day(self._key, client_no, day_on, event.ip))
        return ClassingFacts(
            self._links.standings(tx, links, now - self._kept, now - self._honoured),
            jobs.places_of(tx, placed) if placed else {},
            address_days.known(tx, counted) if counted else {},
            self._lists_of(tx, keys),
            self._honoured,
            self._stale,
        )

    def _lists_of(
        self, tx: Tx, keys: Iterable[tuple[int, Instant]]
    ) -> dict[tuple[int, Instant], AddressList]:
        self._lists = {
            key: self._lists.get(key) or definitions.bot_list(tx, key[0]) for key in keys
        }
        return self._lists


def _held(
    clicks: Mapping[int, Iterable[ReceivedClick]], terms: Mapping[int, ClientTerms]
) -> Iterator[tuple[int, ReceivedClick, PublisherRules]]:
    for client_no, events in clicks.items():
        known = terms.get(client_no)
        for event in events if known else ():
            held = known.held.get(event.publisher_no) if known else None
            if held is not None:
                yield client_no, event, held
