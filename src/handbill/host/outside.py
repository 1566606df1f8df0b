"""Time and randomness, as passed to composition roots; and those of this machine."""

from dataclasses import dataclass

from handbill.host.clock import Clock, SystemClock, clock_of
from handbill.host.ids import Ids, SystemIds
from handbill.host.settings import Settings


@dataclass(frozen=True, slots=True)
class Outside:
    """What no root creates for itself: with a clock that is put forward and seeded ids, the whole
    system runs in one process, and the same way twice.
    """

    clock: Clock
    ids: Ids


def of_this_machine(settings: Settings) -> Outside:
    """What commands pass in: the machine's clock, moved if a file says so, and its randomness."""
    return Outside(clock_of(settings.clock_file), SystemIds())


def machine_clock() -> SystemClock:
    """The machine's clock, never moved: for starting processes, and for what two machines must
    agree on.
    """
    return SystemClock()


def chance() -> Ids:
    """The machine's randomness alone."""
    return SystemIds()
