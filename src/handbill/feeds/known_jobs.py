"""The jobs that a feed has had so far, by reference and by the digest of what it said."""

from collections.abc import Iterable, Sequence
from itertools import chain

from handbill.kit.instants import Instant

UNSEEN, SAME, OTHER, STANDS = 0, 1, 2, 3
"""What a reading has met of a job: nothing, the same as before, something new, or no more than that
it is still there.
"""


class KnownJobs:
    """The jobs of the feed so far, and which of them this reading has met: first the live ones,
    then those that were deleted here while the feed still contains them.
    """

    def __init__(
        self,
        live: Iterable[tuple[int, str, bytes | None, Instant | None]],
        deleted: Sequence[tuple[int, str, bytes | None, Instant | None]] = (),
        now: Instant = 0,
    ) -> None:
        self.nos: list[int] = []
        self.refs: list[str] = []
        self.by_ref: dict[str, int] = {}
        self.by_digest: dict[bytes, int] = {}
        self.faulty: dict[bytes, int] = {}
        self.now = now
        self.over: dict[int, Instant] = {}  # when those that are over by now have ended
        for place, (no, ref, digest, end_at) in enumerate(chain(live, deleted)):
            self.nos.append(no)
            self.refs.append(ref)
            self.by_ref[ref] = place
            if end_at is not None and end_at <= now:
                self.over[place] = end_at
            if digest is not None:
                # A faulty item is read each time, so that each run reports its faults.
                (self.faulty if digest[16:] else self.by_digest)[digest[:16]] = place
        self.state = bytearray(len(self.nos))
        self.live = len(self.nos) - len(deleted)
        self.offered = self.live - sum(place < self.live for place in self.over)
