"""Fewer listings where a bid cannot be lower: which jobs of a job group a copy lists.

The jobs stand in a fixed order, mixed by their ids; a window goes round over them, each copy's
beginning where the last one's ended. So each job is listed as often as any other, also where less
than one job's worth is listed at a time.
"""

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

from handbill.kit.money import PPM


class Window(NamedTuple):
    """``jobs`` of them from place ``first`` on, round the end. ``next_ppm``: where the next begins,
    in millionths of a job.
    """

    first: int
    jobs: int
    next_ppm: int


def turn_of(job_id: str) -> bytes:
    """What a job's place goes by in the order in which the jobs of a job group take turns: any, but
    always the same.
    """
    return hashlib.blake2b(job_id.encode()).digest()


def window_of(jobs: int, listed_ppm: int, start_ppm: int) -> Window:
    """The jobs of one copy. What is left over of a job counts on for the next copy."""
    assert 0 <= listed_ppm <= PPM, "a part of all jobs"
    if jobs == 0:
        return Window(0, 0, 0)
    end_ppm = start_ppm + jobs * listed_ppm
    listed = end_ppm // PPM - start_ppm // PPM
    return Window(start_ppm // PPM % jobs, listed, end_ppm % (jobs * PPM))


class Span(NamedTuple):
    """A window, told by the turns of its jobs: from ``start`` on, before ``end``, round the end.
    The two are the same where all jobs are in it; empty ``end``: none is.
    """

    start: bytes
    end: bytes

    def __contains__(self, turn: object) -> bool:
        assert isinstance(turn, bytes), "a turn is a digest"
        if self.start < self.end:
            return self.start <= turn < self.end
        return bool(self.end) and (turn >= self.start or turn < self.end)


def span_of(window: Window, turns: Sequence[bytes]) -> Span:
    """The window over the jobs that there are now, by their turns in order."""
    jobs = len(turns)
    if window.jobs == 0 or jobs == 0:
        return Span(b"", b"")
    first = window.first % jobs
    return Span(turns[first], turns[(first + min(window.jobs, jobs)) % jobs])
