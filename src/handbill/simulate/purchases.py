"""Slots and credits that an agency buys at a publisher, and whether each purchase acts.

What is bought is compared with what the API says of it, with the publisher's feed, and with what
the ledger has booked of its cost.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

from handbill.core.entries import OF_POSTING
from handbill.core.received import job_id_of
from handbill.host.ids import Chance
from handbill.kit.figures import counted
from handbill.kit.instants import Instant
from handbill.kit.money import MICROS
from handbill.simulate.employers import Body, Employer
from handbill.simulate.facts import Fact
from handbill.simulate.trade import Trade, micros
from handbill.simulate.visitors import Comers

_AT: Final = "Slots"
"""The publisher's id. It sells nothing else, so its feed has posted jobs only."""
_REF: Final = re.compile(rb"<referencenumber><!\[CDATA\[(.*?)\]\]>")
_MOST_DAYS: Final = 8
_DEALS: Final = 3
"""How many purchases are made, changed or ended in a day."""
_MOST_JOBS: Final = 1_000
_REFUSED: Final = {"NO_SLOT", "JOB_NOT_FOUND", "JOB_INVALID", "ALREADY_POSTED"}


@dataclass(kw_only=True)
class Purchase:
    """A purchase as it was made and changed. ``refs``: the jobs that were added; ``credits``: how
    many were certainly used; ``is_steady``: its cost never changed.
    """

    id: str
    path: str
    client: Employer = field(repr=False)
    of_slots: bool
    available: int
    cost_micros: int
    first: date
    last: date
    refs: set[str] = field(default_factory=set)
    credits: int = 0
    is_steady: bool = True
    ended_at: Instant | None = None
    booked_micros: int = 0


class Purchases:
    """All purchases of a simulation. ``look`` returns what does not hold."""

    def __init__(self, trade: Trade, public: Comers, chance: Chance) -> None:
        self._trade, self._public, self._chance = trade, public, chance
        self.every: dict[str, Purchase] = {}
        self.counts = {"made": 0, "added": 0, "shown": 0}
        """How many purchases were ``made``; how many jobs were ``added``; and how many were
        ``shown``, posted and in the feed, each day again.
        """
        self.refused: Counter[str] = Counter()
        """How many jobs were refused, by why."""
        self._feed = ""
        self._due: set[str] = set()
        """The jobs that were posted, and free to be shown, at the last look."""
        self._may: set[str] = set()
        """The jobs of all purchases that were in force at the last look."""

    async def set_up(self) -> None:
        body = {"id": _AT, "name": _AT, "bidType": "PPP", "url": "https://slots.example"}
        await self._trade.ask("POST", "/publishers", body)
        url = (await self._trade.ask("GET", f"/publishers/{_AT}"))["feedUrl"]
        self._feed = url[url.index("/f/") :]

    # ── day by day ──────────────────────────────────────────────────────────────────────────────

    def steps(self, count: int) -> list[int]:
        """The steps of a day in which it deals, of so many."""
        return [self._chance.randrange(count) for _ in range(_DEALS)]

    async def deal(self) -> None:
        """Buy, add jobs, change or end a purchase."""
        open_ = [one for one in self.every.values() if self._in_force(one)]
        deeds = (self._buy, self._buy, self._fill, self._change, self._end)
        deed = self._chance.choice(deeds) if open_ else self._buy
        await deed(self._chance.choice(open_) if open_ else None)

    async def _buy(self, _: Purchase | None) -> None:
        chance = self._chance
        client = chance.choice(self._trade.employers)
        first, cost = client.day(self._now), chance.randrange(500, 30_000) / 100
        last, of_slots = first + timedelta(days=chance.randrange(_MOST_DAYS)), chance.random() < 0.5
        available = 1 + chance.randrange(4)
        body: Body = {"cost": cost, "availableCount": available, "rotateFreqInDays": int(of_slots)}
        body |= {"startDate": first.isoformat(), "endDate": last.isoformat()}
        at = f"/clients/{client.id}/publishers/{_AT}/configs"
        id_: str = (await self._trade.ask("POST", at, body))["result"]
        self.every[id_] = Purchase(
            id=id_,
            path=f"{at}/{id_}",
            client=client,
            of_slots=of_slots,
            available=available,
            cost_micros=micros(cost),
            first=first,
            last=last,
        )
        self.counts["made"] += 1
        await self._fill(self.every[id_])

    async def _fill(self, one: Purchase | None) -> None:
        """Add jobs to it: one more than it has room for. Those that no feed has brought yet are not
        found, and no others.
        """
        assert one is not None
        refs = sorted(one.client.careers.ads)
        some = self._chance.sample(refs, min(len(refs), one.available + 1))
        at = f"/clients/{one.client.id}"
        brought = (await self._trade.ask("GET", f"{at}/jobs?page=1&limit={_MOST_JOBS}"))["data"]
        known = {job["refNumber"] for job in brought}
        added = await self._trade.ask("POST", f"{at}/configs/{one.id}/jobs", some)
        for ref, result in added["result"].items():
            assert result["success"] or result["message"] in _REFUSED, (one, result)
            assert (result.get("message") == "JOB_NOT_FOUND") == (ref not in known), (one, result)
            one.credits += result["success"]
            if not result["success"]:
                self.refused[result["message"]] += 1
            if "id" in result:
                self.counts["added"] += ref not in one.refs
                one.refs.add(ref)

    async def _change(self, one: Purchase | None) -> None:
        assert one is not None
        one.available, one.is_steady = one.available + 1, False
        one.cost_micros += 10 * MICROS
        body = {"cost": one.cost_micros / MICROS, "availableCount": one.available}
        await self._trade.ask("PUT", one.path, body)

    async def _end(self, one: Purchase | None) -> None:
        assert one is not None
        await self._trade.ask("DELETE", one.path)
        one.ended_at = self._now

    # ── what must hold ──────────────────────────────────────────────────────────────────────────

    def booked(self, fact: Fact) -> None:
        """An entry of the ledger of what a purchase costs."""
        self.every[fact.source.removeprefix(OF_POSTING)].booked_micros += fact.spend_micros

    async def look(self) -> list[str]:
        """Each purchase is as it was made, its jobs are posted and shown, and its days booked."""
        wrong: list[str] = []
        posted: set[str] = set()
        may: set[str] = set()
        for one in self.every.values():
            wrong += self._of_cost(one)
            if one.ended_at is not None:
                continue
            jobs = (await self._trade.ask("GET", f"{one.path}/jobs"))["data"]
            wrong += self._of_purchase(one, await self._trade.ask("GET", one.path), jobs)
            its = {job["refNumber"] for job in jobs if job["isPosted"] and job["status"] == "A"}
            if self._is_free(one.client):
                posted |= {ref for ref in its if self._is_free(one.client, ref)}
            may |= one.refs if self._in_force(one) else set()
        feed = self._public.body_of(self._feed) if self._feed else b""
        shown = {ref.decode() for ref in _REF.findall(feed)}
        if late := (self._due & posted) - shown:
            wrong.append(f"these are posted, and not shown: {sorted(late)}")
        if others := shown - may - self._may:
            wrong.append(f"these are shown, and were not bought for: {sorted(others)}")
        self.counts["shown"] += len(shown & posted)
        self._due, self._may = posted, may
        return wrong

    def end(self) -> list[str]:
        """Whether what was bought was ever used: jobs that are all refused are never posted, and
        nothing else of a purchase would tell. Those that were not there yet do not count.
        """
        is_used = any(one.credits for one in self.every.values())
        if is_used or not self.refused.keys() - {"JOB_NOT_FOUND"}:
            return []
        some = counted(self.counts["made"], "purchase")
        return [f"no job was ever posted of {some}: {dict(self.refused)}"]

    def _of_purchase(self, one: Purchase, told: Body, jobs: list[Body]) -> Iterator[str]:
        is_on, posted = self._in_force(one), [job for job in jobs if job["isPosted"]]
        if micros(told["cost"]) != one.cost_micros or told["availableCount"] != one.available:
            yield f"{one} is told as {told}"
        if told["isActive"] != is_on:
            yield f"{one} is told to be active, or not to be: {told}"
        if not {job["refNumber"] for job in jobs} <= one.refs:
            yield f"{one} has other jobs: {jobs}"
        if len(posted) > (one.available if is_on else 0):
            yield f"{one} has too many jobs posted: {posted}"
        free = [job for job in jobs if job["status"] == "A" and not job["isPosted"]]
        if is_on and free and told["usedCount"] < one.available:
            yield f"{one} has room, and these wait: {free}"
        if one.of_slots:
            if told["usedCount"] != len(posted):
                yield f"{one} has {len(posted)} jobs posted, and tells {told}"
        elif not one.credits <= told["usedCount"] <= one.available:
            yield f"{one} has used {one.credits} credits, and tells {told}"

    def _of_cost(self, one: Purchase) -> Iterator[str]:
        """Each day costs its part, from the day's start on; together they cost what was agreed.
        What is added on the last day is booked on the next one.
        """
        days = (one.last - one.first).days + 1
        until = one.client.day(self._now if one.ended_at is None else one.ended_at)
        begun = min(days, (until - one.first).days + 1)
        booked, due = one.booked_micros, one.cost_micros * begun // days
        is_over = begun == days and one.ended_at is None and (one.is_steady or until > one.last)
        if booked > one.cost_micros or (is_over and booked != one.cost_micros):
            yield f"{booked} micros are booked of {one}"
        elif one.is_steady and abs(booked - due) > days:
            yield f"{booked} micros are booked of {one}, and not {due}"

    def _in_force(self, one: Purchase) -> bool:
        return one.ended_at is None and one.first <= one.client.day(self._now) <= one.last

    def _is_free(self, client: Employer, ref: str = "") -> bool:
        """Whether no rule holds a client, or one of its jobs."""
        job = job_id_of(client.id, ref).hex() if ref else ""
        thing = ("JOB", job, "") if ref else ("CLIENT", client.id, "")
        return not self._trade.held.keeps((thing,), self._now, 0)

    @property
    def _now(self) -> Instant:
        return self._trade.house.outside.clock.now()
