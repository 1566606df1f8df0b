"""Which click a conversion belongs to, whether it came in time, and whether it is a repeat.

**Source**: contract 5; safety.md section 2 (S2S event identity, late, clock skew); domain 7.5;
docs/decisions/0029.
"""

from collections.abc import Container
from datetime import tzinfo
from typing import Final, Literal, NamedTuple

from handbill.kit.instants import DAY, HOUR, MINUTE, SECOND, Instant
from handbill.kit.zones import days_after

APPLY: Final = 3
PARKED_FOR: Final = DAY
_MOST_SKEW = 5 * MINUTE
_SHORTEST_WINDOW = 20 * HOUR  # a day of which zones may take some hours

Timing = Literal["in_time", "late", "precedes_click"]


class Keys(NamedTuple):
    """The keys that may identify a client's conversion of one action; None: it does not give it.

    ``application``: the application's id. ``click``: a conversion of that click has counted.
    ``named``: an id was given together with that click.
    """

    application: str | None
    click: str | None
    named: str | None


NO_KEYS: Final = Keys(None, None, None)

Standing = Literal["first", "further", "repeat"]


class Ruling(NamedTuple):
    """``claims``: the keys that are known from now on. ``names_it``: a repeat that gives the id of
    a conversion that its click had counted without one.
    """

    standing: Standing
    claims: tuple[str, ...]
    names_it: bool = False


def keys_of(action: int, click_random: bytes, application_id: str) -> Keys:
    """The keys of a conversion; an organic one has no click, and ``click_random`` is empty."""
    click = click_random.hex()
    return Keys(
        f"{action}/application/{application_id}" if application_id else None,
        f"{action}/click/{click}" if click else None,
        f"{action}/named/{click}" if click else None,
    )


def late_keys_of(
    action: int, click_random: bytes, application_id: str, after_click: Instant
) -> Keys:
    """The keys of a conversion among the late ones; none while no window can have ended.

    They are apart: a late conversion is no reason not to count one that comes in time, by a newer
    click. **Units**: ``after_click`` in micros.
    """
    if not click_random or after_click < _SHORTEST_WINDOW:
        return NO_KEYS
    keys = keys_of(action, click_random, application_id)
    return Keys(*(key and f"late/{key}" for key in keys))


def ruling_of(keys: Keys, known: Container[str | None]) -> Ruling:
    """Whether a conversion is the first of its click, a further application by it, or a repeat.

    An application is identified by its id. A conversion without an id is the first application
    whose id comes with its click, earlier or later. Without ids, they cannot be told apart.
    """
    if keys.application in known:
        return _ruling("repeat", known, keys.named)
    if keys.click is None:
        return _ruling("first", known, keys.application)
    if keys.application is None:
        is_repeat = keys.click in known or keys.named in known
        return Ruling("repeat", ()) if is_repeat else Ruling("first", (keys.click,))
    if keys.click not in known:
        return _ruling("first", known, *keys)
    names_it = keys.named not in known
    ruling = _ruling("repeat" if names_it else "further", known, keys.application, keys.named)
    return ruling._replace(names_it=names_it)


def _ruling(standing: Standing, known: Container[str | None], *claims: str | None) -> Ruling:
    return Ruling(standing, tuple(key for key in claims if key is not None and key not in known))


def timing_of(
    click_at: Instant, at: Instant, window_days: int, zone: tzinfo
) -> tuple[Timing, Instant]:
    """Whether a conversion is within the window of its click, and the instant that dates it.

    The window ends so many calendar days after the click, at the same time of day in the client's
    zone, including its last second. Up to 5 minutes before the click is clock skew: then the
    click's own instant is taken.
    """
    if at < click_at:
        return ("in_time", click_at) if click_at - at <= _MOST_SKEW else ("precedes_click", at)
    end = days_after(click_at, window_days, zone)
    return ("in_time", at) if at // SECOND <= end // SECOND else ("late", at)


def window_days(client: int, campaign: int | None, group: int | None) -> int:
    """The job group's own window overrides its campaign's, which overrides the client's."""
    if group is not None:
        return group
    return campaign if campaign is not None else client
