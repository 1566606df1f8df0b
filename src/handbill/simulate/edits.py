"""What an agency changes in the course of a day: caps, bids, job groups, jobs."""

from collections.abc import Callable
from typing import Any

from handbill.core.received import job_id_of
from handbill.host.ids import Chance
from handbill.kit.money import MICROS
from handbill.simulate.employers import CapOf, Employer
from handbill.simulate.trade import CATEGORIES, GROUPS, Trade, cap_of, micros, new_ad


class Edits:
    """One random edit after the other."""

    def __init__(self, trade: Trade, chance: Chance) -> None:
        self._trade, self._chance = trade, chance
        self._count = 0

    async def edit(self) -> None:
        """One edit of a random kind."""
        self._count += 1
        deeds: tuple[Callable[[Employer], Any], ...] = (
            self._set_cap,
            self._set_cap,
            self._set_cap,
            self._set_bid,
            self._switch,
            self._change_ad,
            self._add_job,
            self._end_job,
        )
        await self._chance.choice(deeds)(self._chance.choice(self._trade.employers))

    async def set_rate(self) -> None:
        """Set the rate of a currency for today."""
        await self._trade.set_rate(self._chance.randrange(1_040_000, 1_120_000))

    async def _set_cap(self, employer: Employer) -> None:
        group = self._chance.choice(employer.groups)
        locked = self._trade.caps.get(CapOf("placement", (group.id, group.publishers[0]), "budget"))
        least = locked.value if locked else 0
        value = round(group.budget_micros * self._chance.uniform(0.3, 2.5) / MICROS, 2)
        value = max(value, -(-least // 10_000) / 100, 0.5)
        cap = {"cap": group.period, "value": value}
        await self._trade.ask("PUT", group.path, {"caps": {"budget": cap}})
        self._trade.caps[CapOf("group", (group.id,), "budget")] = cap_of(cap, "budget")

    async def _set_bid(self, employer: Employer) -> None:
        group = self._chance.choice(employer.groups)
        bid = round(self._chance.uniform(0.2, 1.2), 2)
        await self._trade.ask("PUT", group.path, {"cpcBid": bid})
        group.bid_micros = micros(bid)

    async def _switch(self, employer: Employer) -> None:
        group = self._chance.choice(employer.groups)
        await self._trade.ask("PUT", f"{group.path}/{'pause' if group.active else 'enable'}")
        group.active = not group.active
        group.changed_at = self._trade.house.outside.clock.now()

    async def _change_ad(self, employer: Employer) -> None:
        """The careers page changes a job, drops one, or adds one: the next run sees it."""
        careers = employer.careers
        number = self._chance.randrange(10_000)
        if number % 3 == 0 and len(careers.ads) > 8:
            careers.ads.pop(self._chance.choice(sorted(careers.ads)))
        elif number % 3 == 1:
            category = self._chance.choice(CATEGORIES)
            ad = new_ad(self._trade.employers.index(employer), category, 10_000 + self._count)
            careers.ads[ad.ref] = ad
        else:
            ref = self._chance.choice(sorted(careers.ads))
            careers.ads[ref] = careers.ads[ref]._replace(text=f"Work of number {number}")

    async def _add_job(self, employer: Employer) -> None:
        category = self._chance.choice(CATEGORIES[:GROUPS])
        ad = new_ad(self._trade.employers.index(employer), category, 50_000 + self._count)
        cap = {"cap": "Lifetime", "value": 2 + self._chance.randrange(8)}
        body = {
            "refNumber": ad.ref,
            "title": ad.title,
            "description": ad.text,
            "url": ad.url,
            "category": category,
            "country": "US",
            "city": "Boston",
            "company": "Mills",
            "jobSetting": {"caps": {"budget": cap}},
        }
        key = f"once-{self._count}"
        path = f"/clients/{employer.id}/jobs"
        for _ in range(2):  # the same request twice
            await self._trade.ask("POST", path, body, idempotency_key=key)
        employer.own_jobs.append(ad.ref)
        job_id = job_id_of(employer.id, ad.ref).hex()
        self._trade.caps[CapOf("job", (job_id,), "budget")] = cap_of(cap, "budget")

    async def _end_job(self, employer: Employer) -> None:
        if employer.own_jobs:
            ref = employer.own_jobs.pop(self._chance.randrange(len(employer.own_jobs)))
            await self._trade.ask("DELETE", f"/clients/{employer.id}/jobs/{ref}")
