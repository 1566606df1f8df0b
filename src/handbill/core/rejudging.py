"""Clicks of the ledger, classed again by what is in force now and by what was kept of them.

What can no longer be known (addresses are masked, agents digested) is not guessed: the click stays
as it is, and the rule that could not be applied is named. **Source**: domain 7.6,
docs/decisions/0059.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

import msgspec

from handbill.core.address_lists import AddressList
from handbill.core.click_definitions import Grain, class_of_click
from handbill.core.definition_versions import DefinitionInForce
from handbill.core.judging import INVALID, OVER_CAP, VALID
from handbill.core.sightings import UNLOOKED, Sighting
from handbill.kit.instants import DAY, Instant

UNKNOWABLE: Final = ("nothing_kept", "agent", "address_list", "address_rate", "foreign")
"""The rules that cannot be applied again to some clicks; the first stands for all rules."""
PASSED: Final = frozenset({VALID, OVER_CAP})
"""The dispositions of clicks that no rule of a click definition has excluded."""
LONGEST_WINDOW: Final = 7 * DAY
"""The reason of duplicates."""
_MOST_WINDOWS: Final = 100_000
_GRAINS: Final[Mapping[Grain, tuple[str, ...]]] = {
    "COUNTRY": ("country",),
    "STATE": ("country", "state"),
    "REGION": ("country", "state"),
    "CITY": ("country", "state", "city"),
}


class NotKnown(Exception):
    """What a rule needs was not kept; the message is one of UNKNOWABLE."""


class PastClick(NamedTuple):
    """A click as the ledger has it now. ``at``: when it came; ``address``: empty unless it is
    complete and in plain text; ``then``: what it was classed by, None if that is not known.
    """

    id: bytes
    at: Instant
    disposition: str
    publisher_no: int
    visitor: bytes
    address: str
    agent: str
    opened_at: Instant
    seen: Sighting | None
    then: DefinitionInForce | None


class Present(NamedTuple):
    """What is in force at a publisher now, and its list of bots' addresses."""

    force: DefinitionInForce
    listed: AddressList


class Anew(NamedTuple):
    """The new result of a click. ``reason`` empty: no rule excludes it any more."""

    former: str
    disposition: str
    reason: str


class Became(msgspec.Struct, frozen=True, kw_only=True):
    """The number of clicks that had another result before. ``reason`` empty: they count now."""

    former: str
    disposition: str
    reason: str
    clicks: int


class MonthOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """The result of judging a month again. ``unknown``: how many clicks stay as they are, by the
    rule that can no longer be applied. The amounts are the sums of the corrections; below 0: less
    is to be paid than before. ``is_more``: there is more to correct; run it again.
    """

    looked_at: int
    became: tuple[Became, ...]
    unknown: dict[str, int]
    applies: int
    charge_micros: int
    spend_micros: int
    marked_micros: int
    is_more: bool


class Recalled:
    """The evidence on a click, as far as it was kept. **Refuses** (NotKnown) what was not."""

    def __init__(
        self,
        past: PastClick,
        seen: Sighting,
        present: Present,
        opened_at: Instant | None,
        reason_of_agent: Callable[[str], str | None],
    ) -> None:
        self.at = past.at
        self.opened_at = opened_at
        self.ahead = seen.ahead
        self.left_at = seen.left_at
        self.replaced_at = seen.replaced_at
        self.forgotten = seen.forgotten
        self.grace = present.force.grace
        self.stale = present.force.stale
        self._past = past
        self._seen = seen
        self._present = present
        self._reason_of_agent = reason_of_agent

    @property
    def agent_is_bot(self) -> str:
        then = self._past.then
        if then is not None and then.agents == self._present.force.agents:
            return self._seen.agent_is_bot
        reason = self._reason_of_agent(self._past.agent)
        if reason is None:
            raise NotKnown("agent")
        return reason

    @property
    def address_is_bot(self) -> bool:
        now, then = self._present.force, self._past.then
        if not now.addresses:
            return False
        if self._seen.listed != UNLOOKED and then and then.addresses == now.addresses:
            return bool(self._seen.listed)
        if not self._past.address:
            raise NotKnown("address_list")
        return self._past.address in self._present.listed

    @property
    def clicks_before(self) -> int:
        if self._seen.clicks_before == UNLOOKED:
            raise NotKnown("address_rate")
        return self._seen.clicks_before

    def foreign(self, grain: Grain) -> str:
        if self._seen.foreign is None:
            raise NotKnown("foreign")
        return self._seen.foreign if self._seen.foreign in _GRAINS[grain] else ""


class Rejudging:
    """Takes clicks in the order in which they were judged, and finds those with another result now.

    ``unknown``: how many were left as they are, by the rule that could not be applied.
    """

    def __init__(
        self,
        present: Callable[[int], Present],
        reason_of_agent: Callable[[str], str | None],
    ) -> None:
        self.unknown: Counter[str] = Counter()
        self.looked_at = 0
        self._present = present
        self._reason_of_agent = reason_of_agent
        self._windows: dict[bytes, Instant] = {}

    def before(self, past: PastClick) -> None:
        """A click that is not judged again: it still opens its window."""
        self._open(past, past.disposition in PASSED)

    def look(self, past: PastClick) -> Anew | None:
        """The click's new result; None if it is unchanged."""
        self.looked_at += 1
        if past.disposition == INVALID:  # it belongs to nobody: no rule applies
            return None
        why: tuple[str, str] | None
        try:
            why = self._class_of(past)
        except NotKnown as rule:
            self.unknown[str(rule)] += 1
            self._open(past, past.disposition in PASSED)
            return None
        self._open(past, why is None)
        if why is not None:
            return None if why[0] == past.disposition else Anew(past.disposition, *why)
        return None if past.disposition in PASSED else Anew(past.disposition, VALID, "")

    def _class_of(self, past: PastClick) -> tuple[str, str] | None:
        if past.seen is None:
            raise NotKnown("nothing_kept")
        present = self._present(past.publisher_no)
        opened_at = self._windows.get(past.visitor)
        evidence = Recalled(past, past.seen, present, opened_at, self._reason_of_agent)
        return class_of_click(present.force.rules, evidence)

    def _open(self, past: PastClick, passes: bool) -> None:
        if not passes or not self._present(past.publisher_no).force.rules.duplicate_seconds:
            return
        self._windows.pop(past.visitor, None)  # so that the oldest come first
        self._windows[past.visitor] = past.at
        if len(self._windows) > _MOST_WINDOWS:
            closed = [one for one, at in self._windows.items() if at < past.at - LONGEST_WINDOW]
            for visitor in closed:
                del self._windows[visitor]
