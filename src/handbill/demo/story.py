"""What happens in the demo today, through the REST API and the public addresses only."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlencode, urlsplit

import aiohttp
from lxml import etree

from handbill.demo import market, outlets
from handbill.demo.calls import AgencyProgram, DemoFailed, until
from handbill.demo.past import DemoClient
from handbill.demo.progress import Showing
from handbill.demo.traffic import Deed, LinkVisit, OfferedJob, TrafficPlan

_FEED_SECONDS = 90
_AT_ONCE = 24
_S2S_AT_ONCE = 200


@dataclass(slots=True)
class DemoAcknowledged:
    """What the edge has acknowledged, to be compared with the ledger."""

    clicks: Counter[str] = field(default_factory=Counter)
    click_ids: dict[int, str] = field(default_factory=dict)
    conversions: int = 0

    @property
    def bots(self) -> int:
        """Clicks that are not human: of programs, and those that a browser made ahead."""
        return self.clicks["bot"] + self.clicks["prefetch"]


async def read_outbound(agency: AgencyProgram, showing: Showing) -> list[OfferedJob]:
    """Every job in the publishers' feeds, read from the XML as a publisher would."""
    offers: list[OfferedJob] = []
    with showing.step("Reading the publishers' feeds", len(outlets.OUTLETS)) as done:
        for outlet in outlets.OUTLETS:
            url = (await agency.ask("GET", f"/publishers/{outlet.id}"))["feedUrl"]
            wanted = market.expected_at(outlet.id)

            async def read(
                url: str = url, outlet: outlets.DemoPublisher = outlet, wanted: set[str] = wanted
            ) -> list[OfferedJob] | None:
                offered = await _offers_at(agency.session, url, outlet)
                return offered if {offer.advertiser for offer in offered} >= wanted else None

            offers += await until(f"the feed of {outlet.id}", read, _FEED_SECONDS)
            done(1)
    return offers


async def _offers_at(
    session: aiohttp.ClientSession, url: str, outlet: outlets.DemoPublisher
) -> list[OfferedJob]:
    async with session.get(url) as answer:
        if answer.status == 404:  # not written yet
            return []
        raw = await answer.read()
    root = etree.fromstring(raw, etree.XMLParser(resolve_entities=False, no_network=True))
    return [
        OfferedJob(
            outlet.id,
            job.findtext(outlet.advertiser_node, ""),
            job.findtext(outlet.url_node, ""),
        )
        for job in root.iterfind("job")
    ]


async def click(
    session: aiohttp.ClientSession, plan: TrafficPlan, showing: Showing
) -> DemoAcknowledged:
    """Follow the tracked links, a few visitors at a time; a repeat follows its first."""
    heard = DemoAcknowledged()
    room = asyncio.Semaphore(_AT_ONCE)
    with showing.step("Clicking, with bots and repeats", len(plan.visits)) as done:

        async def follow(chain: Sequence[int]) -> None:
            async with room:
                for number in chain:
                    visit = plan.visits[number]
                    heard.click_ids[number] = await _follow(session, visit)
                    heard.clicks[visit.kind] += 1
                    done(1)

        await asyncio.gather(*map(follow, chains_of(plan.visits)))
    return heard


def chains_of(visits: Sequence[LinkVisit]) -> list[list[int]]:
    """Visits by number; a repeat or prefetch comes directly after its visit."""
    chains: list[list[int]] = []
    for number, visit in enumerate(visits):
        if visit.kind in {"repeat", "prefetch"}:
            chains[-1].append(number)
        else:
            chains.append([number])
    return chains


async def _follow(session: aiohttp.ClientSession, visit: LinkVisit) -> str:
    headers = {"user-agent": visit.agent, "x-forwarded-for": visit.ip}
    if visit.kind == "prefetch":
        headers["sec-purpose"] = "prefetch"
    async with session.get(visit.offer.url, headers=headers, allow_redirects=False) as answer:
        if answer.status != 302:
            raise DemoFailed(f"a click was answered {answer.status}: {visit.offer.url}")
        query = parse_qs(urlsplit(answer.headers["location"]).query)
    return query.get("jClickId", [""])[0]


async def apply(
    agency: AgencyProgram,
    edge: str,
    clients: Sequence[DemoClient],
    plan: TrafficPlan,
    heard: DemoAcknowledged,
    showing: Showing,
) -> None:
    """Start applications and send them: half by S2S, half by the pixel; some visitors came without
    any click.
    """
    of_name = {client.name: client for client in clients}
    with showing.step("Applying, by S2S and by pixel", len(plan.deeds) + plan.organic) as done:
        for client in clients:
            mine = [
                deed
                for deed in plan.deeds
                if plan.visits[deed.visit].offer.advertiser == client.name
            ]
            await _send_s2s(agency, client, [d for d in mine if not d.by_pixel], heard, done)
        for deed in plan.deeds:
            if deed.by_pixel:
                visit = plan.visits[deed.visit]
                fields = {
                    "c": of_name[visit.offer.advertiser].pixel_id,
                    "a": deed.action,
                    "jClickId": heard.click_ids[deed.visit],
                }
                if deed.application_id:
                    fields["jobApplicationId"] = deed.application_id
                await _pixel(agency.session, edge, fields, visit)
                heard.conversions += 1
                done(1)
        for number in range(plan.organic):
            client = clients[number % len(clients)]
            visit = plan.visits[number]
            await _pixel(agency.session, edge, {"c": client.pixel_id, "a": 1}, visit)
            heard.conversions += 1
            done(1)


async def _send_s2s(
    agency: AgencyProgram,
    client: DemoClient,
    deeds: Sequence[Deed],
    heard: DemoAcknowledged,
    done: Callable[[int], None],
) -> None:
    for start in range(0, len(deeds), _S2S_AT_ONCE):
        some = deeds[start : start + _S2S_AT_ONCE]
        body = []
        for deed in some:
            event = {"clickId": heard.click_ids[deed.visit], "a": str(deed.action)}
            if deed.application_id:
                event["jobApplicationId"] = deed.application_id
            body.append(event)
        await agency.ask("POST", "/s2s/events", body, {"client_id": client.id})
        heard.conversions += len(some)
        done(len(some))


async def _pixel(
    session: aiohttp.ClientSession, edge: str, fields: dict[str, object], visit: LinkVisit
) -> None:
    headers = {"user-agent": visit.agent, "x-forwarded-for": visit.ip}
    async with session.get(f"{edge}/px.gif?{urlencode(fields)}", headers=headers) as answer:
        if answer.status != 200:
            raise DemoFailed(f"the pixel answered {answer.status}")
