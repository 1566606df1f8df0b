"""A cap that is full takes its listings out of the feeds; more room brings them back: the whole
tree, as a publisher and a visitor see it.
"""

import time
from pathlib import Path

from flows.days_world import NOON, Town, living, open_client
from flows.test_serve import check_books

BUDGET = 2.0  # four clicks at 0.50


def _caps(value: float, **more: object) -> dict[str, object]:
    return {"caps": {"budget": {"cap": "Monthly", "value": value, **more}}}


def _links(town: Town) -> list[str]:
    town.sees("the job is listed", lambda: town.is_listed("Board", {"Acme"}), "-")
    return list(town.links("Board").values())


def _fill(town: Town, link: str, visitors: range) -> float:
    """Click until the cap is full; how long it took from then until the feed was rewritten."""
    for visitor in visitors:
        town.click(link, visitor)
    began = time.monotonic()
    town.sees("the job is gone", lambda: town.is_listed("Board", set()), "-")
    return time.monotonic() - began


def test_a_full_cap_leaves_the_feeds_and_comes_back(tmp_path: Path) -> None:
    with living(tmp_path) as town:
        town.new("/publishers", {"id": "Board", "name": "Board", "bidType": "CPC"})
        client = open_client(town, "Acme", job={}, group=_caps(BUDGET) | {"delivery": "ASAP"})
        (group,) = (
            one
            for one in town.ask("GET", f"/clients/{client}/jobgroups?page=0&limit=9")["data"]
            if not one["isDefault"]
        )
        assert group["delivery"] == "ASAP"
        at = f"/clients/{client}/campaigns/{group['campaignId']}/jobgroups/{group['id']}"
        (link,) = _links(town)
        took = _fill(town, link, range(5))
        town.note("caps", f"the feed was rewritten {took:.1f} s after the last click")
        told = town.ask("GET", f"/clients/{client}/jobs/Acme/explain")
        assert told["publishers"][0]["reasons"] == ["CAPPED"]
        town.ask("PUT", at, _caps(2 * BUDGET))
        assert _links(town), "raised, it is back"
        town.ask("PUT", at, _caps(BUDGET))
        town.sees("lowered, it is gone", lambda: town.is_listed("Board", set()), "-")
        town.ask("PUT", f"/clients/{client}", _caps(1.0))
        town.ask("PUT", at, _caps(2 * BUDGET))
        town.sees("the client's own cap is full", lambda: town.is_listed("Board", set()), "-")
        town.move_to(
            NOON.replace(month=NOON.month % 12 + 1, day=1, year=NOON.year + NOON.month // 12)
        )
        town.log_in()
        assert _links(town), "a new month has room"
        assert town.server.stop() == 0
        charged = [one["disposition"] for one in town.ledger().values()]
    assert sorted(charged) == ["over_cap"] + ["valid"] * 4
    assert check_books(town.data)["balanced"] is True
