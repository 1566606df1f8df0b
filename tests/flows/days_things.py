"""What recurs, thing by thing: how it is set up in a town, and what is seen of it on each day."""

from collections.abc import Callable
from functools import partial
from typing import Any

from flows.days_world import (
    DATES,
    SECONDS,
    Town,
    add_feed,
    add_job,
    day_text,
    feed_of,
    ftp_of,
    instant_text,
    open_client,
)
from ftp_server import FtpServer
from handbill.work.queue import MOST_ATTEMPTS
from serving import asked, until


def _is_noted(town: Town, query: str) -> bool | None:
    return bool(town.kept(query)) or None


class Thing:
    """Something that recurs: prepared on the eve, looked at in the morning and by day."""

    def eve(self, day: int) -> None:
        """Before the clock is moved to the day."""

    def morning(self, day: int) -> None:
        """As soon as it is; by yesterday's token."""

    def on(self, day: int) -> None:
        """When it is that day."""


class Listings(Thing):
    """Clients whose one job is listed on some days and not on others."""

    def __init__(self, town: Town) -> None:
        self.town = town
        town.new("/publishers", {"id": "Board", "name": "Board", "bidType": "CPC"})
        late = {day: {"startDate": day_text(day)} for day in (2, 3, 4)}
        over = {day: {"endDate": day_text(day)} for day in (3, 4, 5)}
        self.days: dict[str, Callable[[int], bool]] = {}
        self._open("client-start", lambda day: day >= 2, client=late[2])
        self._open("client-end", lambda day: day <= 4, client=over[4])
        self._open("campaign-start", lambda day: day >= 3, campaign=late[3])
        self._open("campaign-end", lambda day: day <= 3, campaign=over[3])
        self._open("group-start", lambda day: day >= 4, group=late[4])
        self._open("group-end", lambda day: day <= 5, group=over[5])
        weekdays = {"daysToSchedule": [0, 1, 2, 3, 4]}
        self._open("weekdays", lambda day: day % 7 < 5, group=weekdays)
        self._open(
            "job-end", lambda day: day <= 1, job={"endAtDate": instant_text(days=1, hours=9)}
        )

    def _open(self, name: str, days: Callable[[int], bool], job: Any = (), **parts: Any) -> None:
        open_client(self.town, name, job=dict(job), **parts)
        self.days[name] = days

    def on(self, day: int) -> None:
        wanted = {name for name, is_listed in self.days.items() if is_listed(day)}
        self.town.sees(
            "starts, ends, weekdays, endAtDate", lambda: self.town.is_listed("Board", wanted)
        )


class Feed(Thing):
    """A feed that has one more job each day. On one day its site is away for a while."""

    AWAY = 4

    def __init__(self, town: Town) -> None:
        self.town = town
        town.new("/publishers", {"id": "Feeds", "name": "Feeds", "bidType": "CPC"})
        self.client = open_client(town, "fed", "Feeds")
        self.path = add_feed(town, self.client)
        self.runs = 0

    def eve(self, day: int) -> None:
        self.town.site.pages["/feed.xml"] = feed_of(day + 1)
        if day == self.AWAY:
            del self.town.site.pages["/feed.xml"]

    def ended(self, count: int) -> str | None:
        runs = self.town.ask("GET", f"{self.path}/runs?page=0&limit=100")["data"]
        states = [run["status"] for run in runs]
        over = len(states) == count and not {"QUEUED", "RUNNING"} & set(states)
        return states[0] if over else None

    def on(self, day: int) -> None:
        self.runs += 1
        state = self.town.sees("feed is fetched", lambda: self.ended(self.runs))
        assert (state == "SUCCESS") is (day != self.AWAY)
        if day == self.AWAY:
            self.town.site.pages["/feed.xml"] = feed_of(day + 1)
            self.town.forward(minutes=16)
            self.runs += 1
            self.town.sees("failed feed is fetched again", lambda: self.ended(self.runs))
        wanted = {f"fed-{number}" for number in range(day + 1)}
        self.town.sees("its jobs are listed", lambda: self.town.is_listed("Feeds", wanted))


class Slots(Thing):
    """One slot, bought for a week and a day, in which three jobs take turns."""

    LAST = 7

    def __init__(self, town: Town) -> None:
        self.town = town
        town.new("/publishers", {"id": "Slots", "name": "Slots", "bidType": "PPP"})
        self.client = open_client(town, "sold", "Slots")
        bought = {
            "cost": 80,
            "availableCount": 1,
            "rotateFreqInDays": 1,
            "startDate": instant_text(hours=-1),
            "endDate": instant_text(days=self.LAST, hours=6),
        }
        at = f"/clients/{self.client}"
        self.config = town.new(f"{at}/publishers/Slots/configs", bought)
        for ref in "abc":
            add_job(town, self.client, ref)
        town.ask("POST", f"{at}/configs/{self.config}/jobs", list("abc"))
        self.before: list[str] = []

    def _posted(self) -> list[str] | None:
        at = f"/clients/{self.client}/publishers/Slots/configs/{self.config}"
        jobs = self.town.ask("GET", f"{at}/jobs?isPosted=true")["data"]
        refs = [job["refNumber"] for job in jobs]
        return refs if refs != self.before else None

    def on(self, day: int) -> None:
        if day <= self.LAST + 1:
            self.before = self.town.sees("slots take turns", self._posted)
        assert len(self.before) == (1 if day <= self.LAST else 0)
        wanted = set(self.before)
        self.town.sees("posted job is listed", lambda: self.town.is_listed("Slots", wanted))
        if day == 2:
            told = [one for one in self.town.ledger().values() if one["kind"] == "POSTING"]
            assert len(told) == 3, "each day that has begun"
            self.town.note("postings are booked", f"{len(told)} days")


class Clicks(Thing):
    """Clicks that become entries: many small files one, and the old ones gone."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.first: set[str] = set()

    def _click(self, visitor: int) -> None:
        before = len(self._kept())
        self.town.click(self.town.links("Feeds")["fed-0"], visitor)
        until("a click is judged", lambda: len(self._kept()) > before or None, SECONDS)

    def on(self, day: int) -> None:
        if day == 1:
            for visitor in range(9):
                self._click(visitor)
            self.first = self._kept()
            self.town.note("clicks are judged", f"{len(self.first)} entries, each in a file")
            self.town.forward(minutes=2)
            replaced = self.town.sees("entries are compacted", self.town.replaced)
            self.town.forward(hours=3)
            self.town.sees(
                "replaced files are swept",
                lambda: not replaced & self.town.segments() or None,
                f"{len(replaced)} files",
            )
            assert self._kept() == self.first
        elif day == 6:
            self.town.sees("retention", self._forgotten)

    def _kept(self) -> set[str]:
        """The clicks: a day of the posting may be booked meanwhile."""
        return {id_ for id_, one in self.town.ledger().items() if one["kind"] == "CLICK"}

    def _forgotten(self) -> str | None:
        left = self.first & self._kept()
        return None if left else f"{len(self.first)} entries are gone"


class Reports(Thing):
    """A report that calls back an address which answers at the third try, and is kept a week."""

    GONE = 10

    def __init__(self, town: Town, client: str) -> None:
        self.town, self.client = town, client
        self.report = self.url = ""

    def on(self, day: int) -> None:
        if day == 2:
            self._ask()
        elif day == 4:
            assert asked(self.url)[0] == 404
            self.town.note("link of a report expires", "404")
        elif day == self.GONE:
            self._is_gone()

    def _ask(self) -> None:
        town, said = self.town, self.town.receiver.said
        town.receiver.answer(500, 500, 200)
        body = {
            "groupBy": "CLIENT",
            "callBackUrl": f"http://127.0.0.1:{town.receiver.port}/done",
            "filterBy": {"startDate": "2030-03-01", "endDate": "2030-03-31"},
        }
        self.report = town.ask("POST", "/reports/stats", body, x_client_id=self.client)["reportId"]
        for tries, wait in enumerate((61, 601, 0), 1):
            noted = f"SELECT count(*) FROM callbacks WHERE attempts = {tries}"
            town.sees("callback is tried", partial(_is_noted, town, noted), f"try {tries}")
            assert len(said) == tries
            town.forward(seconds=wait)
        told = town.ask("GET", f"/reports/{self.report}", x_client_id=self.client)
        self.url = told["url"]
        assert asked(self.url)[0] == 200

    def _is_gone(self) -> None:
        status, _ = self.town.call("GET", f"/reports/{self.report}", x_client_id=self.client)
        assert status == 404
        folder = self.town.data / "blobs" / "reports"
        self.town.sees(
            "reports are swept", lambda: not [*folder.rglob("*.*")] or None, "no file, and 404"
        )


class Funnel(Thing):
    """A hire whose application comes later, and one whose application never comes."""

    def __init__(self, town: Town, client: str) -> None:
        self.town, self.client = town, client
        self.batch = ""

    def on(self, day: int) -> None:
        if day == 2:
            self._hire()
        elif day == 4:
            self._becomes(["counted", "dead"])

    def _hire(self) -> None:
        town = self.town
        items = [
            {"jobApplicationId": id_, "candidateStatus": "Hired", "timestamp": instant_text(days=2)}
            for id_ in ("app-1", "never")
        ]
        self.batch = town.ask("POST", "/funnel", items, x_client_id=self.client)["value"]
        self._becomes(["parked", "parked"])
        click = town.click(town.links("Feeds")["fed-0"], 77)
        event = {"clickId": click, "a": "3", "jobApplicationId": "app-1"}
        town.ask("POST", "/s2s/events", event, x_client_id=self.client)
        town.sees(
            "apply is judged", lambda: town.kept("SELECT count(*) FROM applied") or None, "counted"
        )
        town.forward(minutes=2)
        self._becomes(["counted", "parked"])
        town.sees("hire is booked", self._booked)

    def _booked(self) -> str | None:
        hires = [one for one in self.town.ledger().values() if one["kind"] == "HIRE"]
        return f"{len(hires)} time" if len(hires) == 1 else None

    def _becomes(self, wanted: list[str]) -> None:
        def told() -> list[str] | None:
            batch = self.town.ask("GET", f"/funnel/{self.batch}", x_client_id=self.client)
            found = [one["disposition"] for one in batch["items"]]
            return found if found == wanted else None

        self.town.sees("parked hires", told)


class Deliveries(Thing):
    """A vendor that gets a file a day by FTP, though nothing changes; one day it is away."""

    AWAY = 3

    def __init__(self, town: Town) -> None:
        self.town = town
        town.new("/publishers", {"id": "Quiet", "name": "Quiet", "bidType": "CPC"} | ftp_of(town))
        open_client(town, "quiet", "Quiet", job={})

    def eve(self, day: int) -> None:
        if day == self.AWAY:
            self.town.end_ftp()

    def _state(self) -> str:
        (told,) = self.town.ask("GET", "/publishers/Quiet/deliveries?page=0&limit=9")["data"]
        return str(told["state"])

    def on(self, day: int) -> None:
        if day == self.AWAY:
            self._give_up()
        name = f"{self.town.at.date()}.xml"
        self.town.sees("the day's file by FTP", lambda: name in self.town.ftp.files() or None, name)

    def _give_up(self) -> None:
        town = self.town
        for attempt in range(1, MOST_ATTEMPTS + 1):
            noted = (
                "SELECT count(*) FROM tasks WHERE kind = 'listings.deliver' AND lease IS NULL "
                f"AND attempts = {attempt}"
            )
            until("delivery is tried", partial(_is_noted, town, noted), SECONDS)
            assert self._state() == ("FAILED" if attempt == MOST_ATTEMPTS else "RETRYING")
            town.forward(minutes=12)
        town.note("delivery is given up", f"after {MOST_ATTEMPTS} tries")
        town.ftp = FtpServer(town.ftp.folder, port=town.ftp.port)
        town.forward(minutes=75)
        town.sees("dead task gets a try", lambda: self._state() == "DELIVERED" or None, "DELIVERED")


class Credentials(Thing):
    """A token is good for a day, and so is a key under which a request may be repeated."""

    def __init__(self, town: Town, client: str) -> None:
        self.town = town
        self.path = f"/clients/{client}/campaigns"
        self.made = self._make()

    def _make(self) -> str:
        body = {"name": "Twice"} | DATES
        return self.town.new(self.path, body, idempotency_key="once")

    def morning(self, day: int) -> None:
        if day == 1:
            assert self.town.call("GET", self.path)[0] in {401, 403}
            self.town.note("token expires", "refused")

    def on(self, day: int) -> None:
        if day == 0:
            assert self._make() == self.made
        if day == 2:
            self.town.sees(
                "repeatable answers are swept",
                lambda: self._make() != self.made or None,
                "made anew",
            )


class Lists(Thing):
    """A list of bots' addresses, read every day."""

    def __init__(self, town: Town) -> None:
        self.town = town
        town.lists.pages["/ips.csv"] = b"192.0.2.1\n"
        url = town.lists.url("/ips.csv")
        town.ask("PUT", "/publishers/Board/click-definition", {"botIpsFileUrl": url})
        self.read = 0

    def on(self, day: int) -> None:
        self.read = self.town.sees("bot list is read", self._more)

    def _more(self) -> int | None:
        count = len(self.town.lists.asked)
        return count if count > self.read else None
