"""Which click a conversion belongs to, whether it came in time, and what it is known by.

**Source**: contract 5; safety.md section 2 (S2S event identity, late, clock skew); domain 7.5.
"""

from datetime import tzinfo
from typing import Final, Literal

from handbill.kit.instants import DAY, MINUTE, SECOND, Instant
from handbill.kit.zones import days_after

APPLY: Final = 3
PARKED_FOR: Final = DAY
_MOST_SKEW = 5 * MINUTE

Timing = Literal["in_time", "late", "precedes_click"]


def identity_of(action: int, click_random: bytes, application_id: str) -> str:
    """The name under which a conversion counts once per client.

    A VIEW or APPLY_START counts once per click, an APPLY once per application, or once per click
    where no application is named.
    """
    if action == APPLY and application_id:
        return f"3/application/{application_id}"
    return f"{action}/click/{click_random.hex()}"


def organic_identity(action: int, application_id: str) -> str | None:
    """The same for a conversion without a click; None: nothing tells it from another."""
    return f"{action}/organic/{application_id}" if application_id else None


def timing_of(
    click_at: Instant, at: Instant, window_days: int, zone: tzinfo
) -> tuple[Timing, Instant]:
    """Whether a conversion is within the window of its click, and the instant to date it by.

    The window ends so many calendar days after the click, at the same time of day in the client's
    zone; its last second belongs to it. Up to 5 minutes before the click is skew of clocks: the
    click's own instant is taken.
    """
    if at < click_at:
        return ("in_time", click_at) if click_at - at <= _MOST_SKEW else ("precedes_click", at)
    end = days_after(click_at, window_days, zone)
    return ("in_time", at) if at // SECOND <= end // SECOND else ("late", at)


def window_days(client: int, campaign: int | None, group: int | None) -> int:
    """The job group's own window beats its campaign's, which beats the client's."""
    if group is not None:
        return group
    return campaign if campaign is not None else client
