"""A market at a running server: a client whose feed is advertised, and visitors who click."""

import base64
import threading
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs, urlsplit

from lxml import etree

from serving import Office, asked, until

BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0"
JOBS = 30
CLICKERS = 4
MAPPINGS = {
    "schemaMappingsJobCollection": "source",
    "schemaMappingsJob": "job",
    "schemaMappingsTitle": "title",
    "schemaMappingsDescription": "description",
    "schemaMappingsURL": "url",
    "schemaMappingsRefNumber": "referencenumber",
    "schemaMappingsCategory": "category",
    "schemaMappingsCity": "city",
    "schemaMappingsState": "state",
    "schemaMappingsCountry": "country",
    "schemaMappingsCompany": "company",
}


def open_market(office: Office, feeds_at: str) -> tuple[str, list[str]]:
    """A client whose feed is advertised: its id, and the tracked links in its publisher's feed."""
    office.ask("POST", "/publishers", {"id": "TestExp1", "name": "TestExp1", "bidType": "CPC"})
    budget = {"caps": {"budget": {"cap": "Monthly", "value": 10_000}}}
    client = office.ask(
        "POST",
        "/clients",
        {"companyName": "Employer", "exportedName": "employer", "timeZone": "UTC+0:00"}
        | {"startDate": "01/01/2024", "endDate": "01/01/2044", "applyConvWindow": 30}
        | {"advertiserName": "Employer", "clientType": "DirectEmployer"}
        | budget,
    )["result"]
    at = f"/clients/{client}"
    dates = {"startDate": "01/01/2024", "endDate": "01/01/2044"}
    campaign = office.ask("POST", f"{at}/campaigns", {"name": "All year"} | dates)["result"]
    office.ask(
        "POST",
        f"{at}/campaigns/{campaign}/jobgroups",
        {
            "name": "Everything",
            "cpcBid": 0.5,
            "priority": 1,
            "placements": [{"value": "TestExp1"}],
            "filters": {
                "operator": "AND",
                "rules": [{"field": "title", "operator": "NOT_EQUAL", "data": "no such title"}],
            },
        }
        | dates
        | budget,
    )
    body = {"xmlFeedUrl": f"{feeds_at}/jobs.xml", "schemaMappings": MAPPINGS}
    office.ask("POST", f"{at}/feeds", body)
    url = office.ask("GET", "/publishers/TestExp1")["feedUrl"]

    def links() -> list[str] | None:
        status, _, raw = asked(url)
        if status != 200:
            return None
        found = [job.findtext("url", "") for job in etree.fromstring(raw).iterfind("job")]
        return found if len(found) == JOBS else None

    return client, until("the outbound feed", links)


def click(link: str, agent: str, ip: str) -> tuple[int, str]:
    """Follow a link as a visitor; the status and the click's id in the ledger."""
    status, headers, _ = asked(link, headers={"user-agent": agent, "x-forwarded-for": ip})
    if status != 302:
        return status, ""
    text = parse_qs(urlsplit(headers["location"]).query)["jClickId"][0]
    raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    return status, raw[2:18].hex()


class Clickers:
    """Visitors that keep clicking until told to stop, and note what was acknowledged."""

    def __init__(self, links: list[str]) -> None:
        self._links = links
        self._stop = threading.Event()
        self._pool = ThreadPoolExecutor(CLICKERS)
        self._noted = [self._pool.submit(self._click_on, number) for number in range(CLICKERS)]
        self.acknowledged: list[str] = []

    def _click_on(self, number: int) -> list[str]:
        noted = []
        for turn in range(100_000):
            if self._stop.is_set():
                break
            link = self._links[(turn + number) % len(self._links)]
            try:
                status, id_ = click(link, BROWSER, f"198.18.{number}.{turn % 250 + 1}")
            except (OSError, KeyError, IndexError):  # the edge was killed: nothing was promised
                self._stop.wait(0.02)
                continue
            if status == 302:
                noted.append(id_)
        return noted

    def finish(self) -> list[str]:
        self._stop.set()
        found = [id_ for clicker in self._noted for id_ in clicker.result(60)]
        self._pool.shutdown()
        return found
