"""Sources in step: the part of each that is judged together, so that none runs ahead of another."""

import hashlib
from collections.abc import Iterable
from heapq import merge
from itertools import groupby
from typing import NamedTuple

from handbill.core.received import Received, ReceivedConversion
from handbill.kit.instants import Instant
from handbill.store.journal_streams import JournalLine, JournalReading


class Arrived(NamedTuple):
    """A line of the journal. ``at``: the latest instant that its source has reported so far."""

    line: JournalLine
    events: list[Received]
    at: Instant


class Step(NamedTuple):
    """``taken``: whole lines, the earliest first. ``until``: everything stamped before this instant
    is taken; None: everything is. ``is_full``: there was no room for all.
    """

    taken: list[Arrived]
    until: Instant | None
    is_full: bool = False


def in_step(reading: JournalReading, most_events: int) -> Step:
    """The lines to judge next: from all sources, as far as the slowest is read.

    A conversion is never judged before clicks that other sources took earlier. The line that
    exceeds ``most_events`` is still taken as a whole.
    """
    sources = {
        source: _dated(lines) for source, lines in groupby(reading.lines, lambda it: it.source)
    }
    bounds = [sources[source][-1].at for source in reading.waiting]
    bound = min(bounds, default=None)
    taken: list[Arrived] = []
    events = 0
    for arrived in merge(*sources.values(), key=lambda it: it.at):
        assert not taken or arrived.at >= taken[-1].at, "time only goes on"
        if bound is not None and arrived.at > bound:
            return Step(taken, bound)
        if events >= most_events:
            return Step(taken, arrived.at, is_full=True)
        taken.append(arrived)
        events += len(arrived.events)
    return Step(taken, bound)


def id_of(line: JournalLine, index: int, event: ReceivedConversion) -> bytes:
    """The id of a conversion's entry: the same each time its line is read."""
    place = f"{line.source}/{line.mark_after.segment}/{line.mark_after.offset}/{index}/{event.at}"
    return hashlib.blake2b(place.encode(), digest_size=16).digest()


def _dated(lines: Iterable[JournalLine]) -> list[Arrived]:
    """Times never go back: clocks of two processes differ, a group may be out of order."""
    dated: list[Arrived] = []
    latest: Instant = 0
    for line in lines:
        events = line.received
        latest = max(latest, *(event.at for event in events)) if events else latest
        dated.append(Arrived(line, events, latest))
    return dated
