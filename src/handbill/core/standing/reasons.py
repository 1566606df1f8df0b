"""Reasons: what stops or slows an entity, since when, until when, and what would fix it.

A **reason** has a level: where the cause is, which may be above or below the entity.
**Units**: amounts of a budget are micros, of clicks and applies whole numbers.
"""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Final, Literal

import msgspec

from handbill.core.bids import BidSource
from handbill.core.pacing.caps import Felt
from handbill.core.states import Status as Traded
from handbill.kit.instants import Instant

Status = Literal[Traded, "NO_BID", "NO_JOBS", "NO_PLACEMENT"]
FixKind = Literal[
    "enable", "begin", "extend", "open_day", "raise", "activate", "bid", "admit", "lift"
]
MOST_REASONS: Final = 20


class Level(StrEnum):
    """The level at which a cause applies."""

    CLIENT = "CLIENT"
    CAMPAIGN = "CAMPAIGN"
    GROUP = "JOBGROUP"
    PLACEMENT = "PLACEMENT"
    JOB = "JOB"
    PUBLISHER = "PUBLISHER"


class Code(StrEnum):
    """Causes, in the order in which they are evaluated."""

    PAUSED = "PAUSED"
    PARENT_PAUSED = "PARENT_PAUSED"
    HELD_BY_RULE = "HELD_BY_RULE"
    NOT_STARTED = "NOT_STARTED"
    EXPIRED = "EXPIRED"
    OFF_DAY = "OFF_DAY"
    CAP_ZERO = "CAP_ZERO"
    CAP_REACHED = "CAP_REACHED"
    CAP_IN_FLIGHT = "CAP_IN_FLIGHT"
    CAP_LOCKED = "CAP_LOCKED"
    CAP_BRAKING = "CAP_BRAKING"
    PACED = "PACED"
    NO_PLACEMENT = "NO_PLACEMENT"
    PLACEMENT_PAUSED = "PLACEMENT_PAUSED"
    PUBLISHER_PAUSED = "PUBLISHER_PAUSED"
    EXCLUDED = "EXCLUDED"
    CLIENT_TYPE = "CLIENT_TYPE"
    NOT_POSTED = "NOT_POSTED"
    NO_RATE = "NO_RATE"
    NO_GROUP = "NO_GROUP"
    NO_JOBS = "NO_JOBS"
    JOBS_CAPPED = "JOBS_CAPPED"
    INVALID = "INVALID"
    NO_URL = "NO_URL"
    JOB_EXCLUDES = "JOB_EXCLUDES"
    NO_BID = "NO_BID"
    BELOW_MIN_BID = "BELOW_MIN_BID"
    BELOW_UNIT = "BELOW_UNIT"
    NOT_FETCHED = "NOT_FETCHED"
    NONE_BELOW = "NONE_BELOW"


CAPPED: Final = frozenset({Code.CAP_ZERO, Code.CAP_REACHED, Code.CAP_IN_FLIGHT, Code.CAP_LOCKED})
CAPS: Final = CAPPED | {Code.CAP_BRAKING, Code.PACED}
ON_PURPOSE: Final = frozenset(
    (
        Code.PAUSED,
        Code.PARENT_PAUSED,
        Code.HELD_BY_RULE,
        Code.NOT_STARTED,
        Code.EXPIRED,
        Code.OFF_DAY,
    )
)
"""What somebody, or a rule, wanted to stand still."""


class Params(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The details of a reason. ``cap``: the cap's name; ``on``: the day of a date; ``let_ppm``: the
    part of the full spend that is let through. ``publisher_id``, ``group_id``: the placement.
    ``hold_id``, ``run_id``: the rule's hold, and the run that placed it.
    """

    cap: str = ""
    period: str = ""
    value: int | None = None
    used: int | None = None
    in_flight: int | None = None
    share: int | None = None
    let_ppm: int | None = None
    on: str = ""
    days: tuple[int, ...] = ()
    publisher_id: str = ""
    group_id: str = ""
    bid_micros: int | None = None
    min_bid_micros: int | None = None
    currency: str = ""
    jobs: int | None = None
    capped_jobs: int | None = None
    fetched_at: Instant | None = None
    rhythm: int | None = None
    rule_id: str = ""
    run_id: str = ""
    hold_id: str = ""


class Fix(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What would remove the cause, at the reason's own level. ``value``: a sufficient cap, the bid,
    or the weekday; ``text``: the new first or last day, or the hold; ``source``: of the bid that is
    too low, and whether it is ``by_apply``. The caller makes a request of it.
    """

    kind: FixKind
    value: int = 0
    text: str = ""
    source: BidSource | None = None
    by_apply: bool = False


class Reason(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """``blocking``: whether the entity is not advertised because of it. ``words``: it, in words."""

    code: Code
    level: Level
    entity_id: str
    name: str
    words: str
    blocking: bool = True
    since_at: Instant = 0
    until_at: Instant | None = None
    params: Params = Params()
    fix: Fix | None = None

    @property
    def cause(self) -> tuple[str, ...]:
        """What identifies the same cause at a later time, and at another entity."""
        at = self.params
        place = self.level, self.entity_id, at.group_id, at.publisher_id
        return (*place, at.cap, at.hold_id)


class Resolved(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The standing of an entity. ``reasons``: why; the first one decides, and those that do not
    stop it come last. ``also_holding``: what would still stop it without the first.
    """

    status: Status = "ACTIVE"
    description: str = "trades"
    delivery: Felt = Felt.FULL
    since_at: Instant = 0
    until_at: Instant | None = None
    reasons: tuple[Reason, ...] = ()
    also_holding: tuple[Reason, ...] = ()

    @property
    def is_plain(self) -> bool:
        """Whether there is nothing to report about it."""
        return self.status == "ACTIVE" and self.delivery is Felt.FULL and not self.reasons

    @property
    def is_capped(self) -> bool:
        """Whether a cap stops it, whatever else does: listings cannot see this by themselves."""
        return not CAPPED.isdisjoint(self.stopping)

    @property
    def is_held(self) -> bool:
        """Whether a rule keeps it from being listed."""
        return Code.HELD_BY_RULE in self.stopping

    @property
    def stopping(self) -> set[Code]:
        """The causes that stop it."""
        return {one.code for one in self.all_reasons if one.blocking}

    @property
    def all_reasons(self) -> tuple[Reason, ...]:
        """In order of evaluation: first what blocks, then the rest."""
        return (*self.reasons[:1], *self.also_holding, *self.reasons[1:])


PLAIN: Final = Resolved()
_STATUS: Final[dict[Code, Status]] = {
    Code.PAUSED: "PAUSED",
    Code.PARENT_PAUSED: "PARENT_PAUSED",
    Code.NOT_STARTED: "NOT_STARTED",
    Code.EXPIRED: "EXPIRED",
    Code.NO_BID: "NO_BID",
    Code.BELOW_MIN_BID: "NO_BID",
    Code.BELOW_UNIT: "NO_BID",
    Code.NO_RATE: "NO_BID",
    Code.NO_JOBS: "NO_JOBS",
    Code.INVALID: "NO_JOBS",
    Code.NO_URL: "NO_JOBS",
    Code.JOBS_CAPPED: "CAPPED",
    Code.NO_GROUP: "PARENT_PAUSED",
    Code.NONE_BELOW: "ACTIVE",
}
"""The state that a cause is reported as, at any level. A cause that is not here is NO_PLACEMENT,
but for caps, days off and switches of placements, which depend on the level.
"""
_LEVELS: Final = list(Level)


def resolved(level: Level, entity_id: str, found: Iterable[Reason]) -> Resolved:
    """The state of an entity from all causes that apply, in their order of evaluation."""
    every = tuple(found)
    blocking = [one for one in every if one.blocking]
    rest = [one for one in every if not one.blocking]
    if not blocking:
        felt = max(map(_felt, rest), key=list(Felt).index, default=Felt.FULL)
        return Resolved(delivery=felt, reasons=tuple(rest[:MOST_REASONS]))
    first = blocking[0]
    return Resolved(
        status=_status(first, level, entity_id),
        description=first.words,
        delivery=Felt.STOPPED,
        until_at=first.until_at,
        reasons=(first, *rest[: MOST_REASONS - 1]),
        also_holding=tuple(blocking[1 : MOST_REASONS + 1]),
    )


def seen_below(reasons: Iterable[Reason]) -> list[Reason]:
    """The same reasons, as the entities below see them."""
    return [
        msgspec.structs.replace(one, code=Code.PARENT_PAUSED) if one.code is Code.PAUSED else one
        for one in reasons
    ]


def seen_at_places(places: Sequence[Sequence[Reason]]) -> list[Reason]:
    """The reasons of all places, each once, as seen by what is placed there: they block it if every
    place does; otherwise they are only reported.
    """
    stops = all(any(one.blocking for one in reasons) for reasons in places)
    causes = {(one.code, *one.cause): one for reasons in places for one in reasons}
    return [
        msgspec.structs.replace(one, blocking=one.blocking and stops) for one in causes.values()
    ]


def kept_since(before: Resolved | None, found: Resolved, now: Instant) -> Resolved:
    """The state, with the instants since when it and its reasons hold; taken from the former state
    where that had them already.
    """
    known = {(one.code, one.cause): one.since_at for one in before.all_reasons} if before else {}

    def dated(reasons: tuple[Reason, ...]) -> tuple[Reason, ...]:
        return tuple(
            msgspec.structs.replace(one, since_at=known.get((one.code, one.cause), now))
            for one in reasons
        )

    same = before is not None and (before.status, before.delivery) == (found.status, found.delivery)
    return msgspec.structs.replace(
        found,
        since_at=before.since_at if before is not None and same else now,
        reasons=dated(found.reasons),
        also_holding=dated(found.also_holding),
    )


def _status(first: Reason, level: Level, entity_id: str) -> Status:
    own = first.level is level and first.entity_id == entity_id
    if first.code in CAPPED:
        is_above = _LEVELS.index(first.level) < _LEVELS.index(level)
        return "PARENT_CAPPED" if is_above else "CAPPED"
    if first.code in {Code.OFF_DAY, Code.HELD_BY_RULE}:
        return "PAUSED" if own else "PARENT_PAUSED"
    if first.code is Code.PLACEMENT_PAUSED and own:
        return "PAUSED"
    return _STATUS.get(first.code, "NO_PLACEMENT")


def _felt(one: Reason) -> Felt:
    if one.code is Code.CAP_BRAKING:
        return Felt.BRAKING
    return Felt.PACED if one.code is Code.PACED else Felt.FULL
