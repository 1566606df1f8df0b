"""A market in four currencies over days on which rates change and go missing: the whole tree, and
its export folded by arithmetic of its own.
"""

import re
from fractions import Fraction
from pathlib import Path
from typing import Any

from lxml import etree

from flows.days_world import Town, day_text, living, open_client
from flows.test_prices_end import ledger
from flows.test_serve import check_books
from serving import asked
from sites import MAPPINGS, document, item

PUBLISHERS: dict[str, dict[str, Any]] = {
    "Euro": {"bidType": "CPC", "currency": "EUR", "minBid": 0.1},
    "Yen": {"bidType": "FLAT_CPC", "currency": "JPY", "flatBidValue": 20},
    "Dinar": {"bidType": "CPC", "currency": "KWD"},
    "Home": {"bidType": "CPC"},
}
EVERYWHERE = {name: {"own", "fed"} for name in PUBLISHERS}
UNITS = {"EUR": 2, "JPY": 0, "KWD": 3, "USD": 2}


def rate(day: int, pair: str, value: float) -> dict[str, Any]:
    return {"date": day_text(day), "from": pair[:3], "to": pair[3:], "rate": value}


def shown(town: Town, publisher: str) -> dict[str, tuple[str, str]]:
    """Reference → link and bid, as the publisher's file shows them."""
    status, _, raw = asked(town.ask("GET", f"/publishers/{publisher}")["feedUrl"])
    return {
        job.findtext("referencenumber", ""): (job.findtext("url", ""), job.findtext("cpc", ""))
        for job in (etree.fromstring(raw).iterfind("job") if status == 200 else ())
    }


def listed(town: Town, wanted: dict[str, set[str]], former: Any = None) -> dict[str, Any]:
    """All that files show, once they have these jobs, and each another link than before."""

    def found() -> dict[str, Any] | None:
        now = {name: shown(town, name) for name in PUBLISHERS}
        if {name: set(jobs) for name, jobs in now.items()} != wanted:
            return None
        if former is not None:
            for name in ("Euro", "Yen"):
                if any(now[name][ref][0] == former[name][ref][0] for ref in wanted[name]):
                    return None
        return now

    return town.sees("files show", found, f"{sum(map(len, wanted.values()))} listings")


def reasons(town: Town, client: str, ref: str) -> dict[str, list[str]]:
    told = town.ask("GET", f"/clients/{client}/jobs/{ref}/explain")
    return {one["id"]: one["reasons"] for one in told["publishers"]}


def folded(lines: list[dict[str, Any]]) -> dict[str, Fraction]:
    """What publishers are owed, each in its currency: every entry worked out from itself alone."""
    owed: dict[str, Fraction] = {}
    for line in lines:
        bid, price = (Fraction(line[f"{name}Micros"]) for name in ("bid", "price"))
        spend = int(bid * Fraction(str(line["bidRate"]))) if line["bidRate"] else bid
        charge = int(price * Fraction(str(line["priceRate"]))) if line["priceRate"] else price
        assert line["currency"] == "USD"
        assert (line["bidCurrency"] == "USD") == (line["bidRate"] is None)
        assert (line["priceCurrency"] == "USD") == (line["priceRate"] is None)
        assert line["spendMicros"] == line["markedUpMicros"] == spend
        assert line["chargeMicros"] == min(spend, charge)
        unit = Fraction(10**6, 10 ** UNITS[line["priceCurrency"]])
        assert price % unit == 0, "an invoice can state it"
        name = line["publisherId"]
        owed[name] = owed.get(name, Fraction()) + price / 10**6
    return owed


def test_a_market_in_four_currencies(tmp_path: Path) -> None:
    with living(tmp_path) as town:
        # Known once, and too old to convert by.
        town.ask("POST", "/rates", [rate(-10, f"{one}USD", 1) for one in ("EUR", "JPY", "KWD")])
        for name, said in PUBLISHERS.items():
            town.new("/publishers", {"id": name, "name": name} | said)
        group = {"placements": [{"value": name} for name in PUBLISHERS]}
        own = open_client(town, "own", client={"markdown": 10}, job={}, group=group)
        fed = open_client(town, "fed", group=group | {"cpcBid": 0})
        town.site.pages["/feed.xml"] = document(item("fed", cpc="GBP 0.40"))
        feed = {"xmlFeedUrl": town.site.url(), "schemaMappings": MAPPINGS}
        town.new(f"/clients/{fed}/feeds", feed)
        nowhere = {"Euro": set[str](), "Yen": set[str](), "Dinar": set[str](), "Home": {"own"}}
        listed(town, nowhere)
        assert reasons(town, own, "own") == {
            "Euro": ["NO_RATE"],
            "Yen": ["NO_RATE"],
            "Dinar": ["NO_RATE"],
            "Home": [],
        }
        town.sees(
            "the feed is read",
            lambda: town.call("GET", f"/clients/{fed}/jobs/fed")[0] == 200 or None,
            "fed",
        )
        assert reasons(town, fed, "fed")["Home"] == ["NO_RATE"]

        of_today = [
            rate(0, "EURUSD", 1.1),
            rate(0, "USDJPY", 150),
            rate(0, "USDKWD", 0.3),
            rate(0, "GBPUSD", 1.3),
        ]
        town.ask("POST", "/rates", of_today)
        first = listed(town, EVERYWHERE)
        prices = {
            (name, ref): bid for name, jobs in first.items() for ref, (_, bid) in jobs.items()
        }
        # 0.50 USD less a tenth; 0.40 GBP is 0.52 USD; a flat bid is the publisher's own.
        assert prices == {
            ("Home", "own"): "0.45",
            ("Euro", "own"): "0.40",
            ("Dinar", "own"): "0.135",
            ("Yen", "own"): "18",
            ("Home", "fed"): "0.52",
            ("Euro", "fed"): "0.47",
            ("Dinar", "fed"): "0.156",
            ("Yen", "fed"): "20",
        }
        visitor = iter(range(1, 250))

        def click_all(files: dict[str, Any]) -> None:
            for jobs in files.values():
                for link, _ in jobs.values():
                    town.click(link, next(visitor))

        def booked(count: int) -> list[dict[str, Any]]:
            found = town.sees(
                "clicks are judged",
                lambda: lines if len(lines := ledger(town)) == count else None,
                f"{count}",
            )
            assert {line["disposition"] for line in found} == {"valid"}
            return found

        click_all(first)
        before = booked(8)
        owed = folded(before)
        assert owed == {
            "Home": Fraction("0.97"),
            "Euro": Fraction("0.87"),
            "Dinar": Fraction("0.291"),
            "Yen": Fraction(38),
        }
        assert town.ask("GET", "/rates?page=0&limit=9")["data"][0]["own"] is True

        # The next day a rate changes, and so does what was said of the day before.
        town.forward(days=1)
        town.log_in()
        town.ask(
            "POST",
            "/rates",
            [rate(1, "EURUSD", 1.25), rate(1, "USDJPY", 160), rate(0, "EURUSD", 3)],
        )
        second = listed(town, EVERYWHERE, first)
        assert second["Euro"]["own"][1] == "0.36"
        click_all(first)
        click_all(second)
        after = booked(24)
        assert after[:8] == before, "what is booked does not change"
        rates = {
            (line["publisherId"], str(line["priceRate"])) for line in after if line["priceRate"]
        }
        assert rates == {
            ("Euro", "1.1"),
            ("Euro", "1.25"),
            ("Yen", "0.006666666667"),
            ("Yen", "0.00625"),
            ("Dinar", "3.333333333333"),
        }
        last = sum(Fraction(re.sub("[^0-9.]", "", bid)) for _, bid in second["Euro"].values())
        assert folded(after)["Euro"] == 2 * owed["Euro"] + last, "as published, so is owed"

        # Eight days on nobody has said a rate: nothing is listed at one of 1.
        town.forward(days=8)
        town.log_in()
        listed(town, nowhere)
        assert reasons(town, own, "own")["Euro"] == ["NO_RATE"]
        assert town.server.stop() == 0
    assert check_books(town.data)["balanced"] is True
