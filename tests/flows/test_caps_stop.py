"""A cap that is full takes its listings out of the feeds; more room brings them back: the whole
tree, as a publisher and a visitor see it.
"""

from pathlib import Path

from flows.days_world import NOON, Town, living, open_client
from flows.test_serve import check_books

BUDGET = 2.0  # four clicks at 0.50


def _caps(value: float, **more: object) -> dict[str, object]:
    return {"caps": {"budget": {"cap": "Monthly", "value": value, **more}}}


def _links(town: Town) -> list[str]:
    town.sees("the job is listed", lambda: town.is_listed("Board", {"Acme"}), "-")
    return list(town.links("Board").values())


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
        for visitor in range(5):
            town.click(link, visitor)
        town.sees("full, it is gone", lambda: town.is_listed("Board", set()), "-")
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
        clicks = "SELECT value FROM tallies WHERE kind = 'CLICK' AND disposition = "
        assert (town.kept(f"{clicks}'valid'"), town.kept(f"{clicks}'over_cap'")) == (4, 1)
    assert check_books(town.data)["balanced"] is True
