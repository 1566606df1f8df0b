"""Prices end, caps outlive what they stood on, nobody reads a link: the whole tree, over days."""

from base64 import urlsafe_b64decode
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import duckdb

from flows.days_world import DATES, EVERY_JOB, Town, add_job, living, open_client
from flows.test_serve import check_books
from handbill.ledger.service import export
from handbill.store.blobs import open_blobs
from handbill.store.segment_files import Damaged
from serving import asked, until

BID = 5.0
SETTINGS = {"caps": {"budget": {"cap": "Monthly", "value": 1_000}}}


class Shop:
    """A client with one job, in a job group of its own at one publisher."""

    def __init__(self, town: Town, name: str, kind: str = "CPC", **placement: Any) -> None:
        self.town, self.name = town, name
        town.new("/publishers", {"id": name, "name": name, "bidType": kind})
        self.client = open_client(
            town,
            name,
            name,
            client={"markdown": 20},
            job={},
            group={f"{kind.lower()}Bid": BID, "placements": [{"value": name, **placement}]},
        )
        (group,) = (
            one
            for one in town.ask("GET", f"/clients/{self.client}/jobgroups?page=0&limit=9")["data"]
            if not one["id"].endswith("default")
        )
        at = f"/clients/{self.client}/campaigns/{group['campaignId']}"
        self.campaign, self.group = at, f"{at}/jobgroups/{group['id']}"
        self.link = self.listed()

    def listed(self, former: str = "") -> str:
        """The job's link, once it is another one."""
        return self.town.sees(f"{self.name} is listed", lambda: self._found(former), "another link")

    def _found(self, former: str) -> str | None:
        link = self.town.links(self.name).get(self.name, "")
        return link if link != former else None

    def gone(self) -> None:
        self.town.sees(f"{self.name} is gone", lambda: self.town.is_listed(self.name, set()), "-")


def ledger(town: Town) -> list[dict[str, Any]]:
    store = open_blobs(str(town.data / "blobs"))

    def whole() -> list[dict[str, Any]] | None:
        try:
            lines = list(export(town.records, store, town.data / "scratch"))
        except (duckdb.IOException, Damaged):
            # With the clock moved by days, files that were merged go while they are read.
            return None
        return sorted(lines, key=lambda line: str(line["at"]))

    return until("the ledger is read", whole)


class Applied:
    """What clicks at a publisher that is paid by the apply led to, and who tells of it."""

    def __init__(self, town: Town, shop: Shop) -> None:
        self.town, self.shop = town, shop
        self.pixel = town.kept(f"SELECT pixel_id FROM clients WHERE id = '{shop.client}'")
        self.clicks = [town.click(shop.link, 200 + n) for n in range(3)]

    def page(self, n: int, application: str = "") -> None:
        said = {"c": self.pixel, "a": "3", "jClickId": self.clicks[n]}
        query = urlencode(said | {"jobApplicationId": application})
        assert asked(f"{self.town.server.edge}/px.gif?{query}")[0] == 200

    def server(self, n: int, application: str) -> None:
        event = {"clickId": self.clicks[n], "a": "3", "jobApplicationId": application}
        self.town.ask("POST", "/s2s/events", event, x_client_id=self.shop.client)

    def comes_to(self, **expected: int) -> None:
        """So many applies of each disposition; only those that counted are charged."""

        def found() -> bool | None:
            lines = [line for line in ledger(self.town) if line["clientId"] == self.shop.client]
            applies = [line for line in lines if line["kind"] == "APPLY"]
            if Counter(line["disposition"] for line in applies) != expected:
                return None
            assert sum(line["chargeMicros"] for line in lines) == expected["counted"] * 4_000_000
            return True

        self.town.sees("applies are judged", found, str(expected))


def clicked(town: Town, *visits: tuple[Shop, str]) -> list[tuple[str, float]]:
    """What becomes of clicks, one after the other, and what publishers are owed for them."""
    before = {line["id"] for line in ledger(town)}
    for visitor, (_, link) in enumerate(visits, start=len(before)):
        town.click(link, visitor)

    def found() -> list[dict[str, Any]] | None:
        new = [line for line in ledger(town) if line["id"] not in before]
        return new if len(new) == len(visits) else None

    lines = town.sees("clicks are judged", found, f"{len(visits)}")
    # The export tells milliseconds: clicks of two clients may have the same.
    of_client = {
        shop.client: [one for one in lines if one["clientId"] == shop.client] for shop, _ in visits
    }
    ordered = [of_client[shop.client].pop(0) for shop, _ in visits]
    return [(line["disposition"], line["chargeMicros"] / 1e6) for line in ordered]


def test_prices_end_and_caps_do_not(tmp_path: Path) -> None:
    with living(tmp_path) as town:
        lowered, moved, capped, deleted = (
            Shop(town, name) if not cap else Shop(town, name, caps={"budget": cap})
            for name, cap in (
                ("Lowered", None),
                ("Moved", None),
                ("Capped", {"cap": "Monthly", "value": 6}),
                ("Deleted", None),
            )
        )
        shops = (lowered, moved, capped, deleted)
        assert clicked(town, *((shop, shop.link) for shop in shops)) == [("valid", 4.0)] * 4
        for shop in shops:
            token = shop.link.rpartition("/")[2]
            raw = urlsafe_b64decode(token + "=" * (-len(token) % 4))
            for micros in (5_000_000, 4_000_000):
                leb = bytes((micros & 127 | 128, micros >> 7 & 127 | 128, micros >> 14 & 127 | 128))
                assert leb not in raw
        applied = Applied(town, Shop(town, "Paid", "CPA"))
        for n in range(40):
            applied.page(0, f"made-up-{n}")
        applied.page(1)
        applied.server(2, "real-2")
        applied.comes_to(counted=3, further=39)
        # The bid falls; the job moves to a cheaper group; a placement and a group go.
        town.ask("PUT", lowered.group, {"cpcBid": 1})
        other = {"name": "Cheap", "cpcBid": 0.5, "filters": EVERY_JOB, "priority": 9} | DATES
        town.new(
            f"{moved.campaign}/jobgroups", other | SETTINGS | {"placements": [{"value": "Moved"}]}
        )
        town.ask("PUT", f"{moved.group}/pause")
        town.new("/publishers", {"id": "Else", "name": "Else", "bidType": "CPC"})
        town.ask("PUT", capped.group, {"placements": [{"value": "Else"}]})
        town.ask("DELETE", deleted.group)
        for shop in (lowered, moved):
            assert shop.listed(shop.link) != shop.link
        for shop in (capped, deleted):
            shop.gone()
        # What is honoured for two days is so within its cap: 1.00 is left of the 6.00.
        assert clicked(town, *((shop, shop.link) for shop in shops)) == [
            ("valid", 4.0),
            ("valid", 4.0),
            ("over_cap", 0.0),
            ("valid", 4.0),
        ]
        # A placement that comes back has the cap that it is given, and what it has spent. What its
        # publisher may still show of it counts as in flight until a fetch ten minutes later.
        town.forward(minutes=11)
        budget = {"cap": "Monthly", "value": 10, "thresholdP": 100}
        again = {"value": "Capped", "caps": {"budget": budget}}
        town.ask("PUT", capped.group, {"placements": [{"value": "Else"}, again]})
        back = (capped, capped.listed())
        assert clicked(town, back) == [("valid", 4.0)]
        again["caps"] = {"budget": {"cap": "Monthly", "value": 7}}
        town.ask("PUT", capped.group, {"placements": [{"value": "Else"}, again]})
        assert clicked(town, back) == [("over_cap", 0.0)]
        town.ask("PUT", capped.group, {"placements": [{"value": "Else"}]})
        capped.gone()
        town.forward(hours=49)
        town.log_in()
        applied.server(1, " real-1 ")
        applied.page(2)
        applied.page(0)
        applied.comes_to(counted=3, further=39, duplicate=3)
        fresh = (moved, moved.listed())
        assert clicked(town, *((shop, shop.link) for shop in shops), fresh) == [
            ("valid", 0.8),
            ("latent", 0.0),
            ("latent", 0.0),
            ("latent", 0.0),
            ("valid", 0.4),
        ]
        link = lowered.listed()
        add_job(town, lowered.client, "another")
        town.sees("another is listed", lambda: town.is_listed("Lowered", {"Lowered", "another"}))
        assert lowered.listed() == link, "an unchanged job keeps its link"
        town.forward(days=9)
        town.log_in()
        # Both are older than anything remembered. One of them stands in the file.
        last = clicked(town, (lowered, link), (lowered, lowered.link))
        assert last == [("valid", 0.8), ("latent", 0.0)]
        assert town.server.stop() == 0
    assert check_books(town.data)["balanced"] is True
