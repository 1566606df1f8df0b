"""An agency in a simulation: it sets up its publishers and clients, all through the API.

It keeps a record of its last requests, for checks of whether the system has followed them.
"""

from datetime import date, timedelta
from typing import Any

from handbill.core.charging import Measure
from handbill.core.rates import KEPT_DAYS
from handbill.core.received import job_id_of
from handbill.host.ids import Chance
from handbill.kit.instants import MINUTE, SECOND, Instant
from handbill.kit.money import MICROS, PPM
from handbill.kit.zones import Period, day_of, zone_of
from handbill.simulate.asking import Asker
from handbill.simulate.employers import Body, CapOf, CapSet, Employer, GroupOf, Outlet
from handbill.simulate.held import HoldLog
from handbill.simulate.house import House
from handbill.simulate.sites import MAPPINGS, Ad, Careers

HOME = "USD"
ZONES = (
    "UTC-5:00",
    "America/Chicago",
    "UTC+5:30",
    "Europe/Berlin",
    "Pacific/Auckland",
    "UTC+0:00",
)
CATEGORIES = ("Care", "Transport", "Kitchen", "Office")
GROUPS = len(CATEGORIES) - 1
"""Per client; jobs of the last category match only a job group that is created later."""
_BID_TYPES = ("CPC", "CPC", "CPC", "CPC", "CPA", "FLAT_CPC")
_FREQUENCIES = ("1 hour", "3 hours", "6 hours", "24 hours")
_PERIODS: tuple[Period, ...] = ("Daily", "Weekly", "Monthly")
_DAYS_OF: dict[Period, int] = {"Daily": 1, "Weekly": 7, "Monthly": 30, "Lifetime": 45}
_FLAT = 0.4
_APART = 8
"""Of how many publishers one has a file for each client."""
_ABROAD, _NO_RATE = "EUR", "CHF"
"""Currencies of some publishers; one of them has no exchange rate."""
_RATE_PPM = 1_080_000
_MARKUP = 10


class Trade:
    """The agency, and what it has requested."""

    def __init__(
        self, house: House, agency: Asker, chance: Chance, sites: dict[str, Careers], daily: float
    ) -> None:
        """``daily``: about how many clicks all job groups together get in a day."""
        self.house, self.agency, self.chance, self._sites = house, agency, chance, sites
        self._daily, self.within = daily, 30 * MINUTE
        """How soon a copy must show what a midnight, an edit or a rule has changed."""
        self.employers: list[Employer] = []
        self.outlets: list[Outlet] = []
        self.caps: dict[CapOf, CapSet] = {}
        self.locked: dict[str, str] = {}
        """The publisher whose budget is locked, by job group."""
        self.rates_ppm = {HOME: [PPM], _ABROAD: list[int](), _NO_RATE: list[int]()}
        """The rates of each currency so far."""
        self.held = HoldLog()

    async def ask(self, verb: str, url: str, body: Any = None, **headers: str) -> Any:
        house = self.house
        now = house.outside.clock.now()
        return await self.agency.ask(house.api, now, verb, url, body, **headers)

    # ── setting up ──────────────────────────────────────────────────────────────────────────────

    async def set_up(self, clients: int, publishers: int, jobs: int, days: int) -> None:
        await self.set_rate(_RATE_PPM, days_before=1)
        await self._say_rate(_NO_RATE, PPM, days_before=KEPT_DAYS + 2)  # anywhere on earth
        for number in range(publishers):
            await self._new_outlet(number)
        each = self._daily / (clients * GROUPS)
        for number in range(clients):
            await self._new_employer(number, jobs, days, each)

    async def set_rate(self, ppm: int, days_before: int = 0) -> None:
        """Set the rate of a currency from a day on."""
        await self._say_rate(_ABROAD, ppm, days_before)
        self.rates_ppm[_ABROAD].append(ppm)

    async def _say_rate(self, currency: str, ppm: int, days_before: int) -> None:
        day = day_of(self.house.outside.clock.now(), zone_of("UTC")) - timedelta(days=days_before)
        body = {"date": api_day(day), "from": currency, "to": HOME, "rate": ppm / PPM}
        await self.ask("POST", "/rates", body)

    async def _new_outlet(self, number: int) -> None:
        name, bid_type = f"Board{number:03}", _BID_TYPES[number % len(_BID_TYPES)]
        currency = {2: _ABROAD, 6: _NO_RATE}.get(number % 8, HOME)
        body: Body = {
            "id": name,
            "name": name,
            "bidType": bid_type,
            "currency": currency,
            "url": f"https://{name.lower()}.example",
            "placementType": "All",
            "isCompressedFeed": False,
            "perClientPlacements": number % _APART == 0,
        }
        body |= {"flatBidValue": _FLAT} if bid_type == "FLAT_CPC" else {"minBid": 0.01}
        await self.ask("POST", "/publishers", body)
        url = (await self.ask("GET", f"/publishers/{name}"))["feedUrl"]
        path = _path_in(url)
        self.outlets.append(Outlet(id=name, bid_type=bid_type, currency=currency, feed_path=path))

    async def _new_employer(self, number: int, jobs: int, days: int, each: float) -> None:
        chance = self.chance
        zone, name = ZONES[number % len(ZONES)], f"Employer{number:02}"
        url = f"https://{name.lower()}.example/jobs.xml"
        careers = self._sites[url] = Careers()
        for job in range(jobs):
            ad = new_ad(number, CATEGORIES[job % len(CATEGORIES)], job)
            careers.ads[ad.ref] = ad
        window = chance.choice((3, 7, 14, 30))
        today = day_of(self.house.outside.clock.now(), zone_of(zone))
        dates = {"startDate": api_day(today), "endDate": api_day(today + timedelta(days=days + 30))}
        whole = each * GROUPS * 0.5
        caps, sets = self._drawn_caps(whole, ("Daily", "Weekly", "Monthly", "Lifetime"))
        client = await self._made(
            "/clients",
            {
                "companyName": name,
                "timeZone": zone,
                "caps": caps,
                "applyConvWindow": window,
                "frequency": chance.choice(_FREQUENCIES),
                **dates,
                "markdown": chance.choice((0, 0, 10)),
            },
        )
        at = f"/clients/{client}"
        self.caps |= {CapOf("client", (client,), measure): cap for measure, cap in sets.items()}
        pixel_id = (await self.ask("GET", at))["pixelId"]
        caps, sets = self._drawn_caps(whole, ("Weekly", "Monthly"))
        campaign = await self._made(f"{at}/campaigns", {"name": "all", "caps": caps, **dates})
        self.caps |= {CapOf("campaign", (campaign,), measure): cap for measure, cap in sets.items()}
        employer = Employer(
            id=client,
            name=name,
            zone=zone,
            pixel_id=pixel_id,
            window_days=window,
            url=url,
            careers=careers,
            campaign=f"{at}/campaigns/{campaign}",
        )
        self.employers.append(employer)
        if number % 2:
            employer.markup_percent = _MARKUP
            entity = {"clientId": client, "entityId": client, "level": "Client"}
            begins = self.house.outside.clock.now() // SECOND
            markup = {"name": name, "effectiveFrom": begins, "value": _MARKUP, "entities": [entity]}
            await self._made("/markups", markup)
        await self._made(f"{at}/feeds", {"xmlFeedUrl": url, "schemaMappings": MAPPINGS})
        for outlet in self.outlets[::_APART]:
            own = await self.ask("GET", f"/publishers/{outlet.id}/feeds?client_id={client}")
            outlet.paths[client] = _path_in(own["feedUrl"])
        for place in range(GROUPS):
            first, last = today, today + timedelta(days=days + 30)
            if place == 1 and days > 2:  # a flight that begins and ends within the simulation
                first = today + timedelta(days=1 + chance.randrange(max(1, days // 3)))
                last = first + timedelta(days=chance.randrange(max(1, days // 2)))
            await self.new_group(employer, place, first, last, each)

    async def new_group(
        self, employer: Employer, place: int, first: date, last: date, each: float
    ) -> None:
        chance, category = self.chance, CATEGORIES[place]
        some = chance.sample(self.outlets, min(len(self.outlets), max(2, len(self.outlets) // 4)))
        caps, sets = self._drawn_caps(each * 0.5, _PERIODS)
        if chance.random() < 0.4:
            caps["jobBudget"] = {"cap": "Weekly", "value": round(each * 0.15, 2)}
        if chance.random() < 0.3:
            caps["jobClicks"] = {"cap": "Weekly", "value": max(3, round(each * 0.5))}
        placements: list[Body] = [
            {"value": one.id, **({"bid": self._bid(one)} if chance.random() < 0.3 else {})}
            for one in some
        ]
        value = caps["budget"]["value"]
        held: Body = {}
        is_locked = chance.random() < 0.7
        if chance.random() < 0.5 and caps["budget"]["cap"] != "Daily":
            held = {"cap": caps["budget"]["cap"], "value": round(value * 0.3, 2)}
            placements[0]["budget"] = held | {"locked": is_locked}
        targets = self._drawn_targets()
        bid = round(chance.uniform(0.2, 1.2), 2)
        id_ = await self._made(
            f"{employer.campaign}/jobgroups",
            {
                "name": category,
                "cpcBid": bid,
                "cpaBid": round(chance.uniform(3, 12), 2),
                "priority": place + 1,
                "caps": caps,
                "filters": of_category(category),
                "startDate": api_day(first),
                "endDate": api_day(last),
                "placements": placements,
                "performanceTargets": targets,
            },
        )
        self.caps |= {CapOf("group", (id_,), measure): cap for measure, cap in sets.items()}
        for name, measure in (("jobBudget", "budget"), ("jobClicks", "clicks")):
            if name in caps:
                self.caps[CapOf("group_job", (id_,), measure)] = cap_of(caps[name], measure)  # type: ignore[arg-type]
        if held:
            self.caps[CapOf("placement", (id_, some[0].id), "budget")] = cap_of(held, "budget")
            self.locked |= {id_: some[0].id} if is_locked else {}
        employer.groups.append(
            GroupOf(
                id=id_,
                path=f"{employer.campaign}/jobgroups/{id_}",
                client=employer,
                category=category,
                publishers=[one.id for one in some],
                first=first,
                last=last,
                budget_micros=sets["budget"].value,
                period=sets["budget"].period,
                bid_micros=micros(bid),
                bids_micros={it["value"]: micros(it["bid"]) for it in placements if "bid" in it},
                targets={one["type"]: micros(one["value"]) for one in targets},
            )
        )

    def _drawn_targets(self) -> list[Body]:
        """What a click and an apply may cost, for some job groups."""
        if self.chance.random() >= 0.4:
            return []
        most = {"cpc": self.chance.uniform(0.2, 0.8), "cpa": self.chance.uniform(2, 9)}
        return [{"type": kind, "value": round(value, 2)} for kind, value in most.items()]

    def _drawn_caps(
        self, spend: float, periods: tuple[Period, ...]
    ) -> tuple[Body, dict[Measure, CapSet]]:
        """Caps near the expected spend, some of them tight: a month's 60 clicks bring 4 applies."""
        chance, period = self.chance, self.chance.choice(periods)
        value = max(1, round(spend * _DAYS_OF[period] * chance.uniform(0.5, 4.0), 2))
        caps: Body = {"budget": {"cap": period, "value": value}}
        if period == "Monthly" and chance.random() < 0.5:
            caps["budget"]["pacing"] = True
        if chance.random() < 0.25:
            caps["clicks"] = {"cap": "Weekly", "value": round(spend * 14 * chance.uniform(0.5, 2))}
        if chance.random() < 0.25:
            most = round(spend * 4 * chance.uniform(0.25, 2))
            caps["applies"] = {"cap": "Monthly", "value": most}
        names: tuple[Measure, ...] = ("budget", "clicks", "applies")
        return caps, {name: cap_of(caps[name], name) for name in names if name in caps}

    def _bid(self, outlet: Outlet) -> float:
        of_apply = outlet.bid_type == "CPA"
        return round(self.chance.uniform(3, 12) if of_apply else self.chance.uniform(0.2, 1.2), 2)

    async def _made(self, url: str, body: Body) -> str:
        made: str = (await self.ask("POST", url, body))["result"]
        return made

    # ── looking up ──────────────────────────────────────────────────────────────────────────────

    def employer_of(self, ref: str) -> Employer:
        return self.employers[int(ref[1 : ref.index("-")])]

    def group_of(self, ref: str) -> GroupOf | None:
        """The job group of a job: each takes one category."""
        category = ref.split("-")[1]
        groups = self.employer_of(ref).groups
        return next((one for one in groups if one.category == category), None)

    def advertises(self, group: GroupOf, outlet: Outlet, ref: str, at: Instant) -> bool:
        """Whether a job should be in a copy of an instant, or may still be in it."""
        job = ("JOB", job_id_of(group.client.id, ref).hex(), "")
        some = (*group.holders(outlet.id), job)
        return outlet.id in group.publishers and any(
            (group.active or then - group.changed_at < self.within)
            and not self.held.keeps(some, then, self.within)
            and group.first <= group.client.day(then) <= group.last
            for then in (at, at - self.within)
        )

    def holder_of(self, asked: CapOf) -> Employer | None:
        """The client of a cap's entity; None for a single job."""
        for one in self.employers:
            named = {one.id, one.campaign.rpartition("/")[2], *(group.id for group in one.groups)}
            if asked.ids[0] in named:
                return one
        return None


def _path_in(url: str) -> str:
    return url[url.index("/f/") :]


def of_category(category: str) -> Body:
    of_it = {"operator": "EQUAL", "field": "category", "data": category}
    return {"operator": "AND", "rules": [of_it]}


def new_ad(client: int, category: str, number: int) -> Ad:
    return Ad(f"c{client}-{category}-{number}", f"{category} work {number}", category, "Good work")


def micros(amount: float) -> int:
    return round(amount * MICROS)


def cap_of(told: Body, measure: Measure) -> CapSet:
    factor = MICROS if measure == "budget" else 1
    return CapSet(told["cap"], round(told["value"] * factor))


def api_day(day: date) -> str:
    """A day in the API's form."""
    return f"{day:%m/%d/%Y}"
