"""A town whose clock is moved: a whole ``handbill serve``, those who deal with it, and a diary."""

import json
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

from lxml import etree

from ftp_server import PASSWORD, USER, FtpServer
from handbill.host.clock import SystemClock
from handbill.kit.instants import SECOND
from handbill.ledger.service import export
from handbill.store.blobs import open_blobs
from handbill.store.records import open_records
from masters import MASTERS
from served_market import BROWSER
from serving import Server, asked, handbill, until
from sites import MAPPINGS, Receiver, Site, document, item
from sites import serving as site_serving

NOON = datetime(2030, 3, 4, 12, tzinfo=UTC)
"""The first day's: a Monday, in a month that is open all the while."""
SECONDS = 300
SETTINGS = {
    "retention_days": "3",
    "trusted_proxies": "127.0.0.1",
    "fetchers": "2",
    "lookups_at_once": "1",
}
_Found = TypeVar("_Found")


@dataclass
class Diary:
    """What was seen to happen, day by day."""

    rows: list[tuple[int, str, str]] = field(default_factory=list)

    def note(self, day: int, thing: str, seen: str) -> None:
        self.rows.append((day, thing, seen))

    def told(self) -> str:
        width = max((len(thing) for _, thing, _ in self.rows), default=0)
        lines = [f"{'day':>3}  {'thing':<{width}}  seen"]
        lines += [f"{day:>3}  {thing:<{width}}  {seen}" for day, thing, seen in self.rows]
        return "\n".join(lines)


class Town:
    """An agency and its program; ``at`` is the instant that the clock was last moved to."""

    def __init__(
        self, folder: Path, sites: tuple[Site, Site], receiver: Receiver, ftp: FtpServer
    ) -> None:
        self._machine = SystemClock()
        self.data = folder / "data"
        self.site, self.lists = sites
        self.receiver, self.ftp = receiver, ftp
        self.diary = Diary()
        self.at, self._ahead = NOON, 0.0
        self._offset = folder / "offset"
        self.headers: dict[str, str] = {}
        self._api_client = ""
        self.move_to(NOON)
        self.server = self.start()
        self.records = open_records(f"sqlite:///{self.data / 'records.db'}", MASTERS)
        made = handbill("agency", "create", "acme", "--name", "Acme", "--json", data=self.data)
        assert made.returncode == 0, made.stderr
        told = json.loads(made.stdout)
        self.headers["x-api-key"], self._api_client = told["apiKey"], told["apiClientId"]

    # ── the clock, and the tree ─────────────────────────────────────────────────────────────────
    @property
    def day(self) -> int:
        return (self.at.date() - NOON.date()).days

    def move_to(self, at: datetime) -> None:
        """All processes' clocks go to an instant, and on from there."""
        self.at, self._ahead = at, at.timestamp() - self._machine.now() / SECOND
        aside = self._offset.with_suffix(".new")
        aside.write_text(f"{self._ahead:.3f}")
        aside.replace(self._offset)

    def forward(self, **by: float) -> None:
        """From what the clocks say now, which have gone on since they were moved: what is due so
        much later is due at once.
        """
        now = datetime.fromtimestamp(self._machine.now() / SECOND + self._ahead, UTC)
        self.move_to(now + timedelta(**by))

    def start(self) -> Server:
        ports = [self.site.port, self.lists.port, self.ftp.port]
        allow = ",".join(f"127.0.0.1:{port}" for port in ports)
        self.server = Server(
            self.data,
            clock_file=str(self._offset),
            egress_allow=allow,
            egress_allow_callbacks=f"127.0.0.1:{self.receiver.port}",
            **SETTINGS,
        )
        return self.server

    def kill(self, child: str) -> None:
        self.server.kill(child)
        self.note("kill -9", f"{child} was started again")

    def crash(self) -> None:
        """The supervisor dies, and with it all."""
        os.kill(self.server.process.pid, signal.SIGKILL)
        assert self.server.wait() == -signal.SIGKILL
        self.note("kill -9", "the supervisor, and its children with it")

    def end_ftp(self) -> None:
        self.ftp.__exit__()

    # ── the agency's program ────────────────────────────────────────────────────────────────────
    def call(self, verb: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """A call by a token that is good; tried again while a door is being started."""
        sent = self.headers | {name.replace("_", "-"): value for name, value in headers.items()}

        def answered() -> tuple[int, Any] | None:
            try:
                status, _, raw = asked(self.server.api + path, verb, body, sent)
            except OSError:
                return None  # killed just now
            return (status, json.loads(raw)) if status < 500 else None

        return until(f"{verb} {path}", answered, SECONDS)

    def log_in(self) -> None:
        status, told = self.call("POST", "/token", {"client_id": self._api_client})
        assert status == 200
        self.headers["x-authorization-key"] = told["access_token"]

    def ask(self, verb: str, path: str, body: Any = None, **headers: str) -> Any:
        status, told = self.call(verb, path, body, **headers)
        assert status in {200, 202}, (verb, path, status, told)
        return told

    def new(self, path: str, body: Any, **headers: str) -> str:
        made: str = self.ask("POST", path, body, **headers)["result"]
        return made

    # ── what is seen from outside ───────────────────────────────────────────────────────────────
    def note(self, thing: str, seen: str) -> None:
        self.diary.note(self.day, thing, seen)

    def sees(self, thing: str, ask: Callable[[], _Found | None], seen: str = "") -> _Found:
        """Wait until something is seen, and note it, as what was found or in these words."""
        found = until(f"day {self.day}: {thing}", ask, SECONDS)
        self.note(thing, seen or str(found))
        return found

    def links(self, publisher: str) -> dict[str, str]:
        """The publisher's feed: reference → tracked link."""
        url = self.ask("GET", f"/publishers/{publisher}")["feedUrl"]
        status, _, raw = asked(url)
        if status != 200:
            return {}
        jobs = etree.fromstring(raw).iterfind("job")
        return {job.findtext("referencenumber", ""): job.findtext("url", "") for job in jobs}

    def is_listed(self, publisher: str, wanted: set[str]) -> str | None:
        """Whether a feed has these jobs and no others."""
        try:
            found = set(self.links(publisher))
        except OSError:
            return None  # the edge was killed just now
        return " ".join(sorted(found)) if found == wanted else None

    def click(self, link: str, visitor: int) -> str:
        """Follow a link as a visitor of today; the click id that the employer's page is given."""
        visits = {"user-agent": BROWSER, "x-forwarded-for": f"198.18.{self.day}.{visitor}"}
        status, headers, _ = asked(link, headers=visits)
        assert status == 302
        return parse_qs(urlsplit(headers["location"]).query)["jClickId"][0]

    def ledger(self) -> dict[str, dict[str, Any]]:
        """Every booked entry, as ``ledger export`` writes it; a command of its own each time would
        start slowly.
        """
        blobs = open_blobs(str(self.data / "blobs"))
        found = export(self.records, blobs, self.data / "scratch")
        return {entry["id"]: entry for entry in found}

    def kept(self, query: str) -> Any:
        """A value in the records: of what nobody outside is told, so that the clock is not moved
        before a failure is noted.
        """
        with self.records.read() as tx:
            return tx.run_text(query, {})[0][0][0]

    def segments(self) -> set[str]:
        """The files that entries are in, by name."""
        folder = self.data / "blobs"
        return {str(path.relative_to(folder)) for path in folder.rglob("segments/**/*.parquet")}

    def replaced(self) -> set[str] | None:
        """Those whose entries have been put into one file."""
        with self.records.read() as tx:
            rows, _ = tx.run_text("SELECT path FROM segments WHERE replaced_at IS NOT NULL", {})
        return {path for (path,) in rows} or None


@contextmanager
def living(folder: Path) -> Iterator[Town]:
    """A town; what still runs in the end is ended."""
    with ExitStack() as stack:
        sites = (stack.enter_context(site_serving()), stack.enter_context(site_serving()))
        receiver = Receiver()
        stack.callback(receiver.close)
        town = Town(folder, sites, receiver, FtpServer(folder / "ftp"))
        stack.callback(town.end_ftp)
        stack.callback(town.records.close)
        stack.callback(lambda: town.server.process.poll() is not None or town.server.stop())
        town.log_in()
        yield town


def day_text(day: int) -> str:
    """A day as the API takes it: month first."""
    return (NOON + timedelta(days=day)).strftime("%m/%d/%Y")


def instant_text(**after: float) -> str:
    return (NOON + timedelta(**after)).isoformat().replace("+00:00", "Z")


DATES = {"startDate": day_text(-30), "endDate": day_text(300)}
_CAPS = {"caps": {"budget": {"cap": "Monthly", "value": 10_000}}}
EVERY_JOB = {
    "operator": "AND",
    "rules": [{"field": "title", "operator": "NOT_EQUAL", "data": "no such title"}],
}


def open_client(
    town: Town,
    name: str,
    publisher: str = "Board",
    *,
    client: Any = (),
    campaign: Any = (),
    group: Any = (),
    job: Any = None,
) -> str:
    """A client whose jobs are advertised, but for what is said otherwise of its parts; its id."""
    id_ = town.new(
        "/clients",
        {"companyName": name, "exportedName": name, "timeZone": "UTC-05:00"}
        | {"applyConvWindow": 30, "advertiserName": name, "clientType": "DirectEmployer"}
        | DATES
        | _CAPS
        | dict(client),
    )
    at = f"/clients/{id_}"
    campaign_id = town.new(f"{at}/campaigns", {"name": "Campaign"} | DATES | dict(campaign))
    town.new(
        f"{at}/campaigns/{campaign_id}/jobgroups",
        {"name": "Group", "cpcBid": 0.5, "priority": 1, "placements": [{"value": publisher}]}
        | {"filters": EVERY_JOB}
        | DATES
        | _CAPS
        | dict(group),
    )
    if job is not None:
        add_job(town, id_, name, **job)
    return id_


def add_job(town: Town, client: str, ref: str, **more: Any) -> None:
    body = {"refNumber": ref, "title": "Nurse", "description": "Care", "company": "Acme"}
    town.ask("POST", f"/clients/{client}/jobs", body | {"url": f"https://jobs.test/{ref}"} | more)


def feed_of(jobs: int) -> bytes:
    return document(*(item(f"fed-{number}") for number in range(jobs)))


def add_feed(town: Town, client: str) -> str:
    """A feed of the client's; its path."""
    town.site.pages["/feed.xml"] = feed_of(1)
    body = {"xmlFeedUrl": town.site.url(), "schemaMappings": MAPPINGS}
    return f"/clients/{client}/feeds/" + town.new(f"/clients/{client}/feeds", body)


def ftp_of(town: Town) -> dict[str, Any]:
    login = {"host": "127.0.0.1", "port": town.ftp.port, "username": USER, "password": PASSWORD}
    return {
        "deliverFeedByFTP": True,
        "ftpConfig": {"credentials": login, "pathTemplate": "{date}.xml"},
    }
