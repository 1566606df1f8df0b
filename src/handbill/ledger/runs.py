"""What a run of one client's events is judged by, and what it adds."""

from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from handbill.core.charging import Limit, Place, Uses
from handbill.core.click_definitions import Definition
from handbill.core.entries import Entry
from handbill.core.received import ReceivedClick, ReceivedConversion
from handbill.host.locating import Locate, locator, nowhere
from handbill.host.settings import Settings
from handbill.kit.instants import DAY, HOUR, Instant
from handbill.ledger.address_days import AddressDay
from handbill.ledger.apply_ages import ApplyAge, age_of
from handbill.ledger.classing import ClassingFacts
from handbill.ledger.rows import JudgedClick, Parked
from handbill.ledger.tills import Tills
from handbill.ledger.traffic import Quarter, SeenTraffic, quarter_of

RECEIVED = "received"
REDELIVERED = "redelivered"  # the same click delivered twice: outside the books, which have it once


class Rules(NamedTuple):
    """The operator's settings. ``key`` protects digests of addresses from guessing. A price is
    ``honoured`` for a while after its end, and ``stale`` a while after that, once no copy of its
    publisher shows it. A link older than ``kept`` must be in its file.
    """

    duplicate_seconds: int
    ip_mode: str
    key: bytes
    locate: Locate = nowhere
    honoured: Instant = 2 * DAY
    kept: Instant = 400 * DAY
    stale: Instant = DAY

    @property
    def otherwise(self) -> Definition:
        """The rules for clicks where no click definition is in force."""
        return Definition(duplicate_seconds=self.duplicate_seconds or None)


def rules_of(settings: Settings, key: bytes) -> Rules:
    """The operator's settings, and the key of digests."""
    return Rules(
        settings.duplicate_seconds,
        settings.ip_mode,
        key,
        locator(settings.geo_file),
        settings.price_hours * HOUR,
        settings.retention_days * DAY,
        settings.stale_price_hours * HOUR,
    )


class RunClick(NamedTuple):
    event: ReceivedClick
    visitor: bytes


class Conversion(NamedTuple):
    """``id`` is the entry's; ``parked_no`` is the number of its parked row, 0 for a fresh event."""

    id: bytes
    event: ReceivedConversion
    parked_no: int = 0
    due_at: Instant = 0


@dataclass(slots=True)
class FormerRecords:
    """What the records held before the run."""

    clicks: dict[bytes, JudgedClick]
    visits: dict[bytes, Instant]
    keys: dict[str, bytes]
    tills: Tills
    facts: ClassingFacts


@dataclass(slots=True)
class Added:
    """What a run adds to the records and the ledger. ``agents``: by digest; ``versions``: of click
    definitions, by name.
    """

    entries: list[Entry] = field(default_factory=list)
    clicks: list[tuple[bytes, JudgedClick, Instant]] = field(default_factory=list)
    visits: dict[bytes, tuple[int, Instant, Instant]] = field(default_factory=dict)
    address_days: dict[AddressDay, int] = field(default_factory=dict)
    keys: list[tuple[int, str, bytes, Instant]] = field(default_factory=list)
    applied: list[tuple[int, str, bytes, bytes]] = field(default_factory=list)
    parked: list[Parked] = field(default_factory=list)
    unparked: list[int] = field(default_factory=list)
    tallies: dict[tuple[int, str, str], int] = field(default_factory=dict)
    uses: Uses = field(default_factory=dict)
    short: dict[Place, set[Limit]] = field(default_factory=dict)
    traffic: dict[Quarter, SeenTraffic] = field(default_factory=dict)
    apply_ages: dict[ApplyAge, int] = field(default_factory=dict)
    agents: dict[str, str] = field(default_factory=dict)
    versions: dict[str, bytes] = field(default_factory=dict)

    def see(
        self, event: ReceivedClick | ReceivedConversion, micros: int, *, clicks: int, billed: bool
    ) -> None:
        """Note a valid click, or an apply, for those who learn from traffic."""
        quarter = quarter_of(event.group_no, event.publisher_no, event.at)
        seen = self.traffic.get(quarter)
        if seen is None:
            seen = self.traffic[quarter] = SeenTraffic()
        seen.add(micros, clicks=clicks, billed=billed)

    def ripen(self, event: ReceivedConversion, clicked_on: date, applied_on: date) -> None:
        """Note how long after its click an apply came, for those who bid for applies."""
        of = age_of(event.group_no, event.publisher_no, clicked_on, applied_on)
        self.apply_ages[of] = self.apply_ages.get(of, 0) + 1

    def tally(self, client_no: int, kind: str, what: str, by: int = 1) -> None:
        key = (client_no, kind, what)
        self.tallies[key] = self.tallies.get(key, 0) + by
