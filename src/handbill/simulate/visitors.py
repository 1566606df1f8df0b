"""The traffic at the doors: publishers fetch, visitors click and apply, people are hired.

Each publisher shows the copy that it fetched last. Everything that a door acknowledges is noted
with its expected result, to be compared with the ledger.
"""

import heapq
import math
import re
from collections.abc import Callable, Coroutine
from decimal import Decimal
from itertools import count
from typing import Any
from urllib.parse import urlencode

from handbill.demo.traffic import AGENTS, BOTS
from handbill.host.ids import Chance
from handbill.http1.messages import BodyWithId, Headers, Http1Answer, Later, Request
from handbill.kit.instants import DAY, HOUR, MINUTE, Instant, iso_of, moment_of
from handbill.kit.money import MICROS
from handbill.simulate.boards import (
    AcknowledgedClick,
    AcknowledgedEvents,
    AdBoard,
    BoardJob,
    ReportedConversion,
)
from handbill.simulate.employers import Employer
from handbill.simulate.market import WEEKDAYS, poisson
from handbill.simulate.trade import Trade

RHYTHMS_HOURS = (1, 4, 4, 12, 24)
_OFFER = re.compile(
    rb"<referencenumber><!\[CDATA\[(.*?)\]\]></referencenumber>.*?/c/([\w-]+)\]\]></url>"
    rb"<cpa><!\[CDATA\[([\d.]*)\]\]></cpa><cpc><!\[CDATA\[([\d.]*)\]\]></cpc>",
    re.DOTALL,
)
_IP = "203.0.113.7"
_ETAG = re.compile(rb"ETag: (.*)\r\n")
_LOCATION = re.compile(rb"Location: (.*)\r\n")
_CLICK_ID = re.compile(rb"[?&]jClickId=([\w-]+)")
"""As the script of the pixel finds it in the address of a page."""
_NETWORK = "198.18"
_STARTS, _APPLIES, _HIRED = 0.2, 0.07, 0.1
_OLD_COPIES = 0.03
_SOME_BID = 0.6
_S2S_AT_ONCE = 500
NO_PEOPLE = frozenset({"bot", "ahead"})
Deed = Callable[[Instant], Coroutine[Any, Any, None]]


class Comers:
    """Everybody outside. What is still to happen is in ``_to_come``, in order."""

    def __init__(self, trade: Trade, chance: Chance, daily: float) -> None:
        self._trade, self._chance, self._house = trade, chance, trade.house
        self._clock = trade.house.outside.clock
        self.heard = AcknowledgedEvents()
        self._serial = count()
        self._to_come: list[tuple[Instant, int, Deed]] = []
        self._waiting: list[tuple[Http1Answer | Later, AcknowledgedClick | None]] = []
        self._said: list[ReportedConversion] = []
        self.shown = self.publishers(daily)

    def publishers(self, daily: float) -> list[AdBoard]:
        """One of them never fetches, and the visitors of one are not human. Those with a file for
        each client fetch each of these at its own times.
        """
        outlets = self._trade.outlets
        parts = [self._chance.uniform(0.4, 1.6) for _ in outlets]
        made = []
        for number, (outlet, part) in enumerate(zip(outlets, parts, strict=True)):
            rhythm = RHYTHMS_HOURS[number % len(RHYTHMS_HOURS)] * HOUR
            never = number and number == len(outlets) - 1
            level = daily * part / sum(parts)
            if never:
                made.append(AdBoard(outlet, None, level, is_bad=False))
                continue
            clients = list(outlet.paths) or [""]
            for client in clients:
                shown = AdBoard(outlet, rhythm, level / len(clients), number == 1, client)
                made.append(shown)
                self.fetch_from(shown, self._clock.now() + HOUR + self._chance.randrange(rhythm))
        return made

    def fetch_from(self, shown: AdBoard, first: Instant) -> None:
        """Let a publisher fetch from then on, at its rhythm."""
        self.at(first, self._fetching(shown))

    def at(self, at: Instant, deed: Deed) -> None:
        """Let something happen at that time."""
        heapq.heappush(self._to_come, (at, next(self._serial), deed))

    async def live(self, until: Instant, forward: Callable[[Instant], None]) -> None:
        """Let everything happen that is due until an instant, each at its time."""
        start = self._clock.now()
        for shown in self.shown:
            self._let_come(shown, start, until)
        while self._to_come and self._to_come[0][0] < until:
            at, _, deed = heapq.heappop(self._to_come)
            forward(at)
            await deed(at)
        forward(until)
        await self._tell_said()
        await self.settle()

    # ── publishers ──────────────────────────────────────────────────────────────────────────────

    def _fetching(self, shown: AdBoard) -> Deed:
        async def fetch(at: Instant) -> None:
            assert shown.rhythm is not None
            self._fetch(shown, at)
            late = self._chance.uniform(-0.05, 0.05)
            self.at(at + round(shown.rhythm * (1 + late)), self._fetching(shown))

        return fetch

    def _fetch(self, shown: AdBoard, at: Instant) -> None:
        headers = Headers("Fetcher/1.0", False, False, None, b"", shown.etag, None)
        answer = self._asked(shown.path, headers, _IP)
        assert isinstance(answer, Http1Answer)
        status = answer.head.split(b" ", 2)[1]
        if status == b"404":  # not written yet
            return
        former, shown.fetched_at = shown.fetched_at, at
        if status == b"304":
            return
        assert status == b"200", answer.head
        etag = _ETAG.search(answer.head)
        shown.etag = etag[1] if etag else None
        shown.old, shown.offers = shown.offers, self.offers_in(_read(answer))
        shown.has_offered |= bool(shown.offers)
        shown.old_fetched_at = former or 0

    def offers_in(self, raw: bytes) -> list[BoardJob]:
        """The jobs in a publisher's feed."""
        return [
            BoardJob(ref.decode(), token, micros_of(cpc), micros_of(cpa))
            for ref, token, cpa, cpc in _OFFER.findall(raw)
        ]

    # ── visitors ────────────────────────────────────────────────────────────────────────────────

    def _let_come(self, shown: AdBoard, start: Instant, until: Instant) -> None:
        """Draw who follows the links of a publisher until then."""
        if not shown.offers:
            return
        chance, moment = self._chance, moment_of(start)
        hour = moment.hour + moment.minute / 60
        day = 0.15 + math.exp(-(((hour - 14) / 4) ** 2)) + 0.5 * math.exp(-(((hour - 21) / 2) ** 2))
        part = (until - start) / DAY * day / 0.5 * WEEKDAYS[moment.weekday()]
        prices = [offer.cpc_micros or offer.cpa_micros // 12 for offer in shown.offers]
        wanted = (sum(prices) / len(prices) / MICROS / _SOME_BID) ** 1.2
        for _ in range(poisson(chance, shown.level * part * min(2.0, max(0.3, wanted)))):
            at = start + chance.randrange(until - start)
            is_old = bool(shown.old) and chance.random() < _OLD_COPIES
            offers = shown.old if is_old else shown.offers
            copied_at = shown.old_fetched_at if is_old else shown.fetched_at or 0
            offer = offers[int(len(offers) * chance.random() ** 1.5)]
            self.at(at, self._visiting(shown, offer, copied_at))

    def _visiting(self, shown: AdBoard, offer: BoardJob, copied_at: Instant) -> Deed:
        """A click from a copy of that time, even if another has been fetched meanwhile."""
        chance = self._chance
        ip = f"{_NETWORK}.{chance.randrange(256)}.{chance.randrange(1, 255)}"
        dice = chance.random()
        kind = "bot" if dice < (0.5 if shown.is_bad else 0.05) else "human"
        if kind == "human" and chance.random() < (0.5 if shown.is_bad else 0.06):
            kind = "again"
        agent = chance.choice(BOTS if kind == "bot" else AGENTS)

        async def visit(at: Instant) -> None:
            self._click(shown, offer, ip, agent, kind, copied_at)
            if kind == "again":
                for _ in range(1 + chance.randrange(2)):
                    later = at + 1 + chance.randrange(MINUTE)
                    self.at(later, self._again(shown, offer, ip, agent, copied_at))
            if chance.random() < 0.01:
                self._click(shown, offer, ip, agent, "ahead", copied_at)

        return visit

    def _again(
        self, shown: AdBoard, offer: BoardJob, ip: str, agent: str, copied_at: Instant
    ) -> Deed:
        async def visit(_: Instant) -> None:
            self._click(shown, offer, ip, agent, "again", copied_at)

        return visit

    def _click(
        self, shown: AdBoard, offer: BoardJob, ip: str, agent: str, kind: str, copied_at: Instant
    ) -> None:
        """``kind`` ahead: a browser that fetches before anybody has clicked."""
        headers = Headers(agent, kind == "ahead", False, None, b"", None, None)
        request = Request(
            self._house.outside.ids.bytes(16), b"GET", b"/c/" + offer.token, headers, ip
        )
        answer = self._house.answer(self._chance.randrange(2), request)
        whole = answer.answer if isinstance(answer, Later) else answer
        assert isinstance(answer, Later) == (kind != "ahead"), f"a visitor waits: {whole.head!r}"
        location = _LOCATION.search(whole.head)
        assert location is not None, "a visitor is sent on"
        click_id = _CLICK_ID.search(location[1])
        at = self._clock.now()
        visit = AcknowledgedClick(
            id=request.id,
            at=at,
            outlet=shown.outlet,
            offer=offer,
            ip=ip,
            agent=agent,
            kind=kind,
            copied_at=copied_at,
            click_id=click_id[1].decode() if click_id else "",
        )
        self._waiting.append((answer, visit))
        if kind not in NO_PEOPLE:
            self._follow(visit)

    # ── applications ────────────────────────────────────────────────────────────────────────────

    def _follow(self, visit: AcknowledgedClick) -> None:
        """What a visitor does later: start to apply, apply, be hired; reported by one or two
        witnesses, sometimes twice, sometimes weeks later.
        """
        chance = self._chance
        employer = self._trade.employer_of(visit.offer.ref)
        by_pixel, by_s2s = chance.choice(((True, False), (False, True), (True, True)))
        if chance.random() < _STARTS:
            self.at(
                visit.at + 1 + chance.randrange(10 * MINUTE),
                self._telling(employer, visit, "2", "", by_pixel, by_s2s),
            )
        if chance.random() >= _APPLIES:
            return
        application = f"a{chance.randrange(16**12):012x}"
        delay = chance.randrange(HOUR) if chance.random() < 0.7 else chance.randrange(20 * DAY)
        at = visit.at + 10 * MINUTE + delay
        self.at(at, self._telling(employer, visit, "3", application, by_pixel, by_s2s))
        if chance.random() < 0.1:  # an applicant tracking system that sends twice
            self.at(
                at + chance.randrange(DAY),
                self._telling(employer, visit, "3", application, by_pixel, by_s2s),
            )
        if chance.random() < _HIRED:
            self.at(at + DAY + chance.randrange(9 * DAY), self._hiring(employer, application))

    def _telling(
        self,
        employer: Employer,
        visit: AcknowledgedClick,
        action: str,
        application: str,
        by_pixel: bool,
        by_s2s: bool,
    ) -> Deed:
        async def tell(_: Instant) -> None:
            if by_s2s:
                event = {"clickId": visit.click_id, "a": action}
                self._said.append(ReportedConversion(employer, event | _named(application)))
            if by_pixel:
                fields = {"c": employer.pixel_id, "a": action, "jClickId": visit.click_id}
                self._pixel(fields | _named(application), visit)

        return tell

    def _pixel(self, fields: dict[str, str], visit: AcknowledgedClick) -> None:
        headers = Headers(visit.agent, False, False, None, b"", None, None)
        answer = self._asked(f"/px.gif?{urlencode(fields)}", headers, visit.ip)
        assert isinstance(answer, Later), f"a pixel is counted: {answer.head!r}"
        self._waiting.append((answer, None))

    async def _tell_said(self) -> None:
        """What the employers' programs report, some of it at once, one batch in ten twice."""
        reported, self._said = self._said, []
        for employer in self._trade.employers:
            events = [one.event for one in reported if one.employer is employer]
            for first in range(0, len(events), _S2S_AT_ONCE):
                body = events[first : first + _S2S_AT_ONCE]
                for _ in range(2 if self._chance.random() < 0.1 else 1):
                    await self._trade.ask("POST", "/s2s/events", body, x_client_id=employer.id)
                    self.heard.conversions += len(body)

    def _hiring(self, employer: Employer, application: str) -> Deed:
        async def hire(_: Instant) -> None:
            body = [
                {
                    "jobApplicationId": application,
                    "candidateStatus": "HIRED",
                    "timestamp": iso_of(self._clock.now()),
                }
            ]
            await self._trade.ask("POST", "/funnel", body, x_client_id=employer.id)

        return hire

    # ── at the door ─────────────────────────────────────────────────────────────────────────────

    def body_of(self, path: str) -> bytes:
        """A file as a publisher gets it; empty, if it is not written yet."""
        answer = self._asked(path, Headers("Fetcher/1.0", False, False, None, b"", None, None), _IP)
        assert isinstance(answer, Http1Answer)
        return _read(answer) if answer.head.split(b" ", 2)[1] == b"200" else b""

    def _asked(self, path: str, headers: Headers, ip: str) -> Http1Answer | Later:
        request = Request(self._house.outside.ids.bytes(16), b"GET", path.encode(), headers, ip)
        return self._house.answer(self._chance.randrange(2), request)

    async def settle(self) -> None:
        """Wait until everything that was accepted is durable: from then on it is acknowledged."""
        for answer, visit in self._waiting:
            if isinstance(answer, Later):
                await answer.future
            if visit is None:
                self.heard.conversions += 1
            else:
                self.heard.visits[visit.id] = visit
        self._waiting.clear()
        await self._house.settle()


def _named(application: str) -> dict[str, str]:
    return {"jobApplicationId": application} if application else {}


def micros_of(text: bytes) -> int:
    """An amount in the form of a feed."""
    return int(Decimal(text.decode() or "0") * MICROS)


def _read(answer: Http1Answer) -> bytes:
    stream, parts = answer.body, []
    if isinstance(stream, bytes):
        return stream
    assert not isinstance(stream, BodyWithId), answer.head
    while stream.left:
        parts.append(stream.read())
    stream.sent()
    stream.close()
    return b"".join(parts)
