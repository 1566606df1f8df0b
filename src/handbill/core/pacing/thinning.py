"""Fewer listings when a bid cannot be lower: which jobs of a job group a copy lists.

The jobs stand in a fixed order, mixed by their ids. A window moves round over them; each copy's
begins where the last one's ended. So each job is listed as often as any other, even if less than
one job is listed at a time.
"""

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

from handbill.kit.money import PPM


class JobWindow(NamedTuple):
    """``jobs`` of them from position ``first`` on, round the end. ``next_ppm``: where the next
    window begins, in millionths of a job.
    """

    first: int
    jobs: int
    next_ppm: int


def turn_of(job_id: str) -> bytes:
    """The key by which the jobs of a job group are ordered for their turns: arbitrary, but always
    the same.
    """
    return hashlib.blake2b(job_id.encode()).digest()


def window_of(jobs: int, listed_ppm: int, start_ppm: int) -> JobWindow:
    """The jobs of one copy. A remaining fraction of a job is carried over to the next copy."""
    assert 0 <= listed_ppm <= PPM, "a part of all jobs"
    if jobs == 0:
        return JobWindow(0, 0, 0)
    end_ppm = start_ppm + jobs * listed_ppm
    listed = end_ppm // PPM - start_ppm // PPM
    return JobWindow(start_ppm // PPM % jobs, listed, end_ppm % (jobs * PPM))


class Span(NamedTuple):
    """A window by the turns of its jobs: from ``start`` on, before ``end``, round the end. Both are
    equal if all jobs are in it; an empty ``end`` means none is.
    """

    start: bytes
    end: bytes

    def __contains__(self, turn: object) -> bool:
        assert isinstance(turn, bytes), "a turn is a digest"
        if self.start < self.end:
            return self.start <= turn < self.end
        return bool(self.end) and (turn >= self.start or turn < self.end)


def span_of(window: JobWindow, turns: Sequence[bytes]) -> Span:
    """The window over the current jobs, by their turns in order."""
    jobs = len(turns)
    if window.jobs == 0 or jobs == 0:
        return Span(b"", b"")
    first = window.first % jobs
    return Span(turns[first], turns[(first + min(window.jobs, jobs)) % jobs])
