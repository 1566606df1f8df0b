"""Turns: owners share the places for work, so that many requests of one do not delay another's.

``OwnerTurns`` decides, and knows no time; ``Lane`` lets coroutines wait for it.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

from handbill.kit.faults import Refused, too_many

MOST_WAIT_SECONDS = 20.0
"""How long work waits for its turn, unless a lane says otherwise. What is at work may be held up by
the records for as long again.
"""
_T = TypeVar("_T")


class Bounds(NamedTuple):
    """How many may be at work, in all and per owner; how many may wait, per owner and in all."""

    places: int
    each: int
    waiting_each: int
    waiting: int


class OwnerTurns(Generic[_T]):
    """Round robin over owners: each that waits gets a place before any gets a second one.

    Owners are known only while they have something at work or waiting.
    """

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._at_work: dict[str, int] = {}
        self._count = 0
        self._queues: OrderedDict[str, deque[_T]] = OrderedDict()
        self._waiting = 0

    def enter(self, owner: str) -> bool:
        """Take a free place at once; False when the owner may have none, or has others waiting."""
        if owner in self._queues or not self._has_place(owner):
            return False
        self._take(owner)
        return True

    def wait(self, owner: str, one: _T) -> bool:
        """Join the owner's queue; False when too many wait already."""
        queue = self._queues.get(owner)
        if self._waiting >= self._bounds.waiting or len(queue or ()) >= self._bounds.waiting_each:
            return False
        if queue is None:
            queue = self._queues[owner] = deque()
        queue.append(one)
        self._waiting += 1
        return True

    def give_up(self, owner: str, one: _T) -> None:
        """Wait no longer."""
        queue = self._queues.get(owner)
        if queue is not None and one in queue:
            queue.remove(one)
            self._waiting -= 1
            if not queue:
                del self._queues[owner]

    def leave(self, owner: str) -> None:
        """Release a place."""
        self._count -= 1
        self._at_work[owner] -= 1
        if not self._at_work[owner]:
            del self._at_work[owner]

    def next(self) -> tuple[str, _T] | None:
        """Give a place to the next owner who waits and may have one. None: there is nobody."""
        for owner, queue in self._queues.items():
            if not self._has_place(owner):
                continue
            one = queue.popleft()
            self._waiting -= 1
            self._queues.move_to_end(owner)
            if not queue:
                del self._queues[owner]
            self._take(owner)
            return owner, one
        return None

    def _has_place(self, owner: str) -> bool:
        places, each, *_ = self._bounds
        return self._count < places and self._at_work.get(owner, 0) < each

    def _take(self, owner: str) -> None:
        self._count += 1
        self._at_work[owner] = self._at_work.get(owner, 0) + 1


class Lane:
    """Turns that are waited for on an event loop. ``what``: the name of the work in a refusal.

    ``seconds``: the longest wait.
    """

    def __init__(self, what: str, bounds: Bounds, seconds: float = MOST_WAIT_SECONDS) -> None:
        self._what = what
        self._seconds = seconds
        self._turns: OwnerTurns[asyncio.Future[None]] = OwnerTurns(bounds)

    async def enter(self, owner: str) -> Callable[[], None]:
        """Wait for a place; returns what releases it. **Refuses** (429) when too many wait, or none
        comes free in time.
        """
        if not self._turns.enter(owner):
            await self._waited(owner)
        return lambda: self._leave(owner)

    async def slice(self, owner: str) -> None:
        """Wait for a turn on the event loop itself; it ends with this iteration of the loop."""
        if not self._turns.enter(owner):
            await self._waited(owner)
        asyncio.get_running_loop().call_soon(self._leave, owner)

    async def _waited(self, owner: str) -> None:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        if not self._turns.wait(owner, future):
            raise self._full()
        late = loop.call_later(self._seconds, self._refuse, future)
        try:
            await future
        except BaseException:
            if future.done() and not future.cancelled() and future.exception() is None:
                self._leave(owner)
            else:
                self._turns.give_up(owner, future)
            raise
        finally:
            late.cancel()

    def _refuse(self, future: "asyncio.Future[None]") -> None:
        if not future.done():
            future.set_exception(self._full())

    def _full(self) -> Refused:
        return too_many(f"Too many {self._what} are in progress; try again in a moment", 1)

    def _leave(self, owner: str) -> None:
        self._turns.leave(owner)
        while (following := self._turns.next()) is not None:
            owner, future = following
            if not future.done():
                future.set_result(None)
            else:  # refused or cancelled, and has not heard of it yet
                self._turns.leave(owner)
