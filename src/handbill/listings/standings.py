"""The state of tracked links: whether their price has ended, and how the files list their jobs."""

from collections.abc import Iterable, Mapping
from logging import getLogger
from typing import NamedTuple

from handbill.core.price_ends import Frozen, LinkState, ShownLine, standing_of
from handbill.kit.instants import Instant
from handbill.listings import copies, end_rows, rosters, rows
from handbill.listings.end_rows import ALL_JOBS, EVERYTHING
from handbill.listings.rosters import Roster
from handbill.listings.rows import Part
from handbill.store.blobs import Blobs
from handbill.store.records import Tx

_MOST_ROSTERS = 64
_log = getLogger("handbill.listings")


class FrozenLink(NamedTuple):
    """What a tracked link freezes, as far as its price is concerned."""

    client_no: int
    publisher_no: int
    job_id: bytes
    line: ShownLine


_Ends = dict[tuple[bytes, int, Frozen], list[Instant]]


class LinkFinder:
    """Finds the state of links. Rosters are cached: they are long, and new ones have new names."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs
        self._rosters: dict[Part, Roster] = {}
        self._missed: set[Part] = set()

    def standings(
        self, tx: Tx, links: Iterable[FrozenLink], remembered: Instant, ended_before: Instant = 0
    ) -> dict[FrozenLink, LinkState]:
        """The states of these links, without those that are simply valid. ``remembered``: older
        links must be in the file, or they are forgotten. ``ended_before``: for prices that had
        ended by then, also since when no copy shows them.
        """
        by_publisher: dict[int, set[FrozenLink]] = {}
        for link in links:
            by_publisher.setdefault(link.publisher_no, set()).add(link)
        states: dict[FrozenLink, LinkState] = {}
        for publisher_no, some in by_publisher.items():
            ends = _ends_of(tx, publisher_no, some)
            parts: dict[int, Part | None] = {}
            for link in some:
                own = _own_ends(ends, link) if ends else []
                listed_at = link.line.listed_at
                if listed_at >= remembered and not any(at > listed_at for at in own):
                    continue
                if link.client_no not in parts:
                    parts[link.client_no] = rows.part_of(tx, publisher_no, link.client_no)
                roster = self._roster(parts[link.client_no])
                shown = roster.find(link.job_id) if roster else None
                states[link] = standing_of(
                    link.line, own, shown, remembered=remembered, is_known=roster is not None
                )
        return states | _with_copies(tx, states, ended_before)

    def _roster(self, part: Part | None) -> Roster | None:
        if part is None:
            return None
        roster = self._rosters.get(part)
        if roster is None:
            roster = rosters.read(self._blobs, part)
            if roster is None:
                if part not in self._missed:
                    self._missed.add(part)
                    _log.error(
                        "the roster of publisher %d and client %d is missing or damaged: until "
                        "their next file is written, links count as listed",
                        part.publisher_no,
                        part.client_no,
                    )
                return None
            if len(self._rosters) >= _MOST_ROSTERS:
                self._rosters.clear()
            self._rosters[part] = roster
        return roster


def _with_copies(
    tx: Tx, found: Mapping[FrozenLink, LinkState], ended_before: Instant
) -> dict[FrozenLink, LinkState]:
    """The links whose price ended before and that their file shows at another price, with since
    when their publisher's copy shows that too.
    """
    asked: dict[tuple[int, int], list[FrozenLink]] = {}
    for link, standing in found.items():
        ended_at, live = standing.ended_at, standing.live
        if live and live != link.line.frozen and ended_at and ended_at < ended_before:
            asked.setdefault((link.publisher_no, link.client_no), []).append(link)
    ended: dict[FrozenLink, LinkState] = {}
    for whose, links in asked.items():
        ends = {link: found[link].ended_at or 0 for link in links}
        left_at = copies.newer_since(tx, *whose, set(ends.values()))
        for link, ended_at in ends.items():
            ended[link] = found[link]._replace(copy_left_at=left_at.get(ended_at))
    return ended


def _ends_of(tx: Tx, publisher_no: int, links: Iterable[FrozenLink]) -> _Ends:
    ids = {link.job_id for link in links}
    groups = {link.line.frozen.group_no for link in links}
    ends: _Ends = {}
    for end in end_rows.ends_of(tx, publisher_no, ids, groups):
        ends.setdefault((end.job_id, end.client_no, end.frozen), []).append(end.left_at)
    return ends


def _own_ends(ends: _Ends, link: FrozenLink) -> list[Instant]:
    """The ends of the link's listing, of its job group's offer, and of everything of its client."""
    client_no, frozen = link.client_no, link.line.frozen
    keys = (
        (link.job_id, client_no, frozen),
        (ALL_JOBS, client_no, frozen),
        (ALL_JOBS, client_no, EVERYTHING),
    )
    return [at for key in keys for at in ends.get(key, ())]
