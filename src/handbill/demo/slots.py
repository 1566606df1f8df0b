"""Slots and credits that the demo's agency buys at a board that sells them: what is bought, changed
and ended in its past, so that each is there to be seen today.
"""

from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any, Final

from handbill.demo.outlets import DemoPublisher
from handbill.kit.instants import Instant
from handbill.simulate.employers import Employer
from handbill.simulate.trade import Trade

BOARD: Final = DemoPublisher(
    "CampusBoard",
    {"name": "Campus Board", "bidType": "PPP", "url": "https://campus.example"},
    "url",
    "advertiser",
)
_MORE: Final = 2
"""How many more jobs are added than there is room: they wait."""


class DemoSlots:
    """The purchases of a past of so many days, from ``first`` to ``now``."""

    def __init__(self, trade: Trade, first: Instant, now: Instant, days: int) -> None:
        self._trade, self._days = trade, days
        self._ids: dict[str, str] = {}
        deeds: tuple[tuple[int, Callable[[], Coroutine[Any, Any, None]]], ...] = (
            (20, lambda: self._buy("brief", 0, 3, 90, 1, parts=30)),
            (35, lambda: self._buy("credits", 1, 5, 240, 0, parts=50)),
            (45, lambda: self._buy("lasting", 0, 4, 420, 1, parts=70)),
            (55, lambda: self._buy("ended", 3, 2, 120, 1, parts=40)),
            (65, self._change),
            (75, self._end),
        )
        self._due = [(first + (now - first) * part // 100, deed) for part, deed in deeds]

    async def deal(self, now: Instant) -> None:
        """Do what is due."""
        while self._due and self._due[0][0] <= now:
            await self._due.pop(0)[1]()

    async def _buy(
        self, name: str, employer: int, count: int, cost: int, rotates: int, *, parts: int
    ) -> None:
        """Slots (``rotates``) or credits for so many hundredths of the past, and jobs for them."""
        client = self._trade.employers[employer]
        first = client.day(self._trade.house.outside.clock.now())
        body = {
            "cost": cost,
            "availableCount": count,
            "rotateFreqInDays": rotates,
            "startDate": first.isoformat(),
            "endDate": (first + timedelta(days=self._days * parts // 100)).isoformat(),
        }
        url = f"{_at(client)}/publishers/{BOARD.id}/configs"
        self._ids[name] = (await self._trade.ask("POST", url, body))["result"]
        await self._fill(name, client, count + _MORE)

    async def _fill(self, name: str, client: Employer, count: int) -> None:
        jobs = await self._trade.ask("GET", f"{_at(client)}/jobs?page=1&limit={count}")
        refs = [job["refNumber"] for job in jobs["data"]]
        await self._trade.ask("POST", f"{_at(client)}/configs/{self._ids[name]}/jobs", refs)

    async def _change(self) -> None:
        """Two slots more, for a higher price, and jobs for them."""
        client = self._trade.employers[0]
        url = f"{_at(client)}/publishers/{BOARD.id}/configs/{self._ids['lasting']}"
        await self._trade.ask("PUT", url, {"cost": 560, "availableCount": 6})
        await self._fill("lasting", client, 6)

    async def _end(self) -> None:
        client = self._trade.employers[3]
        url = f"{_at(client)}/publishers/{BOARD.id}/configs/{self._ids['ended']}"
        await self._trade.ask("DELETE", url)


def _at(client: Employer) -> str:
    return f"/clients/{client.id}"
