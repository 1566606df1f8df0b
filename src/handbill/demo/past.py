"""The demo's past: days of its market over virtual time, before anybody looks at it.

API, edges, worker and judge are the real ones, in this process. Weekends are quiet, one client's
budget ends, one feed breaks, half of what one publisher sends are bots and repeats, and slots are
bought at a board that sells them.
"""

import re
from contextlib import closing
from dataclasses import dataclass
from shutil import copytree
from typing import NamedTuple

import msgspec

from handbill.access.service import create_agency
from handbill.demo import market, outlets
from handbill.demo.progress import Showing, Step
from handbill.demo.server import Hosted, hosted_feeds, torn
from handbill.demo.slots import BOARD, DemoSlots
from handbill.host.clock import SetClock
from handbill.host.ids import Chance, seeded
from handbill.host.outside import Outside
from handbill.host.settings import Settings
from handbill.kit.figures import counted
from handbill.kit.instants import DAY, HOUR, Instant, moment_of
from handbill.simulate.asking import Asker
from handbill.simulate.boards import AdBoard, BoardJob
from handbill.simulate.employers import Body, Employer, Outlet
from handbill.simulate.house import House, passing_folder
from handbill.simulate.sites import Careers, Sites
from handbill.simulate.trade import HOME, Trade
from handbill.simulate.visitors import NO_PEOPLE, Comers, micros_of

AGENCY = "demo"
CLICKS_OF_DAY = 250
_STEP = 3 * HOUR
_BREAKS_BEFORE = 3 * DAY
"""How long before today one feed breaks."""
_BAD = "Jooble"
_RHYTHMS = {
    "Indeed_Bid": 6 * HOUR,
    "Talent": 12 * HOUR,
    "Jooble": 24 * HOUR,
    "Appcast": 8 * HOUR,
    BOARD.id: 12 * HOUR,
}
_OF_BOARD = 15
"""How many of its jobs' clicks come in a day: they cost nothing."""
_REF = re.compile(rb"\b[A-Z]{3}-\d{9,10}\b")
_TOKEN = re.compile(rb"/c/([\w-]+)")
_PRICE = re.compile(rb"<(cpc|cpa)>\D*([\d.]+)\D*</")


@dataclass(slots=True, kw_only=True)
class CareersPage(Careers):
    """A careers site of the demo, which shows the same as it will later."""

    hosted: Hosted
    whole: bytes = b""

    def feed(self) -> bytes:
        self.whole = self.whole or b"".join(self.hosted.feed())
        return self.whole if not self.ails else b"".join(torn(self.hosted.feed()))


class DemoClient(NamedTuple):
    """A client as the API made it."""

    name: str
    id: str
    pixel_id: str


class DemoPast(NamedTuple):
    """What was created, and what the doors have acknowledged, to be compared with the ledger."""

    api_key: str
    api_client_id: str
    clients: list[DemoClient]
    clicks: int
    bots: int
    conversions: int


class DemoShop(Trade):
    """The demo's agency, and what it has set up."""

    def __init__(
        self, house: House, agency: Asker, chance: Chance, pages: dict[str, CareersPage]
    ) -> None:
        super().__init__(house, agency, chance, dict(pages), CLICKS_OF_DAY)
        self.pages = pages
        self._by_seed: dict[int, Employer] = {}

    async def open(self, feeds_at: str, days: int, done: Step) -> None:
        """Publishers, clients, campaigns, job groups, feeds."""
        dates = market.dates(moment_of(self.house.outside.clock.now()).date(), days)
        for outlet in (*outlets.OUTLETS, BOARD):
            await self.ask("POST", "/publishers", {"id": outlet.id, **outlet.body})
            url = (await self.ask("GET", f"/publishers/{outlet.id}"))["feedUrl"]
            path = url[url.index("/f/") :]
            kind = outlet.body["bidType"]
            self.outlets.append(Outlet(id=outlet.id, bid_type=kind, currency=HOME, feed_path=path))
            done(1)
        for employer in market.EMPLOYERS:
            await self._employ(employer, feeds_at, dates)
            done(1)

    async def _employ(self, employer: market.DemoEmployer, feeds_at: str, dates: Body) -> None:
        client = await self._made("/clients", employer.body | dates)
        at = f"/clients/{client}"
        campaign = await self._made(f"{at}/campaigns", {"name": employer.campaign, **dates})
        for group in employer.groups:
            await self._made(f"{at}/campaigns/{campaign}/jobgroups", group | dates)
        mine = Employer(
            id=client,
            name=employer.body["advertiserName"],
            zone=employer.body["timeZone"],
            pixel_id=(await self.ask("GET", at))["pixelId"],
            window_days=employer.body["applyConvWindow"],
            url=feeds_at,
            careers=Careers(),
            campaign=f"{at}/campaigns/{campaign}",
        )
        self.employers.append(mine)
        for source in employer.sources:
            url = f"{feeds_at}/{source.name}.xml"
            self._by_seed[self.pages[url].hosted.seed] = mine
            body = {
                "xmlFeedUrl": url,
                "schemaMappings": source.mappings,
                "urlParamsToStrip": ["utm_source", "utm_medium"],
            }
            await self._made(f"{at}/feeds", body)

    def employer_of(self, ref: str) -> Employer:
        """The employer of a feed, whose own seed is in the references of its jobs."""
        return self._by_seed[int(ref.partition("-")[2][:-7])]


class Visitors(Comers):
    """Who fetches, clicks and applies in the demo."""

    def publishers(self, daily: float) -> list[AdBoard]:
        boards = []
        for outlet in self._trade.outlets:
            clicks = _OF_BOARD if outlet.id == BOARD.id else daily / len(outlets.OUTLETS)
            shown = AdBoard(outlet, _RHYTHMS[outlet.id], clicks, is_bad=outlet.id == _BAD)
            self.fetch_from(shown, self._clock.now() + HOUR)
            boards.append(shown)
        return boards

    def offers_in(self, raw: bytes) -> list[BoardJob]:
        offers = []
        for job in raw.split(b"</job>"):
            ref, token = _REF.search(job), _TOKEN.search(job)
            if ref is not None and token is not None:
                prices = {name: micros_of(text) for name, text in _PRICE.findall(job)}
                cpc, cpa = prices.get(b"cpc", 0), prices.get(b"cpa", 0)
                offers.append(BoardJob(ref[0].decode(), token[1], cpc, cpa))
        return offers


def lived(
    settings: Settings, outside: Outside, feeds_at: str, seed: int, days: int, showing: Showing
) -> DemoPast:
    """Live the days before now; the result is in the data folder afterwards.

    Until then it is elsewhere: no power fails meanwhile, so a disk need not store each step.
    """
    with passing_folder() as folder:
        passing = msgspec.structs.replace(settings, data=folder)
        past = _lived(passing, outside, feeds_at, seed, days, showing)
        copytree(folder, settings.data_folder, dirs_exist_ok=True)
    return past


def _lived(
    settings: Settings, outside: Outside, feeds_at: str, seed: int, days: int, showing: Showing
) -> DemoPast:
    now = outside.clock.now()
    clock = SetClock((now - days * DAY) // _STEP * _STEP)
    pages = {
        f"{feeds_at}/{name}.xml": CareersPage(hosted=hosted)
        for name, hosted in hosted_feeds(seed).items()
    }
    with closing(House(settings, Outside(clock, outside.ids), Sites(pages))) as house:
        with house.tools.records.write() as tx:
            _, key, client_id = create_agency(
                tx, outside.ids, clock.at, agency_id=AGENCY, name="Demo agency", currency="USD"
            )
        shop = DemoShop(house, Asker(key, client_id), seeded(f"{seed}/demo"), pages)
        total = len(outlets.OUTLETS) + 1 + len(market.EMPLOYERS)
        with showing.step("Setting up the market", total) as done:
            house.run(shop.open(feeds_at, days, done))
        visitors = Visitors(shop, seeded(f"{seed}/visitors"), CLICKS_OF_DAY)
        with showing.step(f"Living the last {counted(days, 'day')}", days) as done:
            _live(shop, clock, visitors, now, done, DemoSlots(shop, clock.at, now, days))
        visits = visitors.heard.visits.values()
        return DemoPast(
            api_key=key,
            api_client_id=client_id,
            clients=[DemoClient(one.name, one.id, one.pixel_id) for one in shop.employers],
            clicks=len(visits),
            bots=sum(visit.kind in NO_PEOPLE for visit in visits),
            conversions=visitors.heard.conversions,
        )


def _live(
    shop: DemoShop,
    clock: SetClock,
    visitors: Visitors,
    now: Instant,
    done: Step,
    slots: DemoSlots,
) -> None:
    house = shop.house

    def forward(at: Instant) -> None:
        clock.at = max(clock.at, at)

    while clock.at < now:
        until = min(clock.at + _STEP, now)
        for page in shop.pages.values():
            page.ails = "torn" if page.hosted.breaks and now - until < _BREAKS_BEFORE else ""
        house.run(visitors.live(until, forward))
        house.run(slots.deal(clock.at))
        house.work()
        house.judge()
        if until % DAY < _STEP:
            done(1)
