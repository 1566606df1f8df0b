"""A month that is judged again, and the figures by day that pages show: the whole tree, days
later, asked for twice at once, after a restart, and in a folder that a backup was restored into.
"""

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from flows.days_world import Town, living, open_client
from flows.test_serve import check_books
from serving import handbill


def _figures(town: Town, client: str) -> list[dict[str, list[float]]]:
    """The client's figures as three questions answer them; between two of them an entry may be
    booked, so that they are equal only once nothing is on its way.
    """
    asked = "days=5&metrics=clicks,duplicateClicks,spent"
    (line,) = town.ask("GET", f"/overview?page=0&limit=9&{asked}")["data"]
    (whole,) = town.ask("GET", f"/clients/{client}/timeseries?{asked}")["series"]
    (board,) = town.ask("GET", f"/clients/{client}/timeseries?{asked}&by=publisher")["series"]
    return [line["values"], whole["values"], board["values"]]


def _seen(town: Town, client: str, **wanted: Sequence[float]) -> dict[str, list[float]]:
    def told() -> dict[str, list[float]] | None:
        found = _figures(town, client)
        settled = all({name: one[name] for name in wanted} == wanted for one in found)
        return found[0] if settled and found[0] == found[1] == found[2] else None

    return town.sees(f"figures {wanted}", told, "-")


def test_figures_follow_a_month_that_is_judged_again(tmp_path: Path) -> None:
    with living(tmp_path) as town:
        town.new("/publishers", {"id": "Board", "name": "Board", "bidType": "CPC"})
        client = open_client(town, "Acme", job={})
        town.sees("the job is listed", lambda: town.is_listed("Board", {"Acme"}), "-")
        (link,) = town.links("Board").values()
        for _ in range(3):
            town.click(link, 1)
        _seen(town, client, clicks=[0, 0, 0, 0, 1], duplicateClicks=[0, 0, 0, 0, 2])
        town.forward(days=1)
        town.log_in()
        town.click(link, 2)
        _seen(town, client, clicks=[0, 0, 0, 1, 1], spent=[0, 0, 0, 0.5, 0.5])

        town.ask("PUT", f"/clients/{client}/publishers/Board/click-definition", {"duplicate": 0})
        path = f"/clients/{client}/rejudgings"
        body = {"month": f"{town.at:%Y-%m}"}
        with ThreadPoolExecutor(2) as both:
            list(both.map(lambda _: town.ask("POST", path, body), range(2)))

        def done() -> Any:
            found = town.ask("GET", f"{path}?page=0&limit=9")["data"]
            return found if {one["status"] for one in found} == {"SUCCESS"} else None

        found = town.sees("both are done", done, "-")
        became = [one for each in found for one in each["outcome"]["corrected"]]
        assert [(one["from"], one["to"], one["clicks"]) for one in became] == [
            ("duplicate", "valid", 2)
        ]
        after = {"clicks": [0, 0, 0, 3, 1], "duplicateClicks": [0, 0, 0, 0, 0]}
        _seen(town, client, **after, spent=[0, 0, 0, 1.5, 0.5])
        town.kill("judge-0")
        town.kill("worker-0")
        town.click(link, 3)
        last = _seen(town, client, clicks=[0, 0, 0, 3, 2])
        assert town.server.stop() == 0
        agency = town.kept("SELECT id FROM agencies")
        clock = {"clock_file": f"{tmp_path / 'offset'}"}
        kept, copy = tmp_path / "kept", tmp_path / "copy"
        restore = f"restore {kept} --key {town.data / 'secrets.key'}"
        for words, data in ((f"backup {kept}", town.data), (restore, copy)):
            made = handbill(*words.split(), data=data, **clock)
            assert made.returncode == 0, made.stderr
        told = handbill("overview", "--agency", agency, "--days", "5", "--json", data=copy, **clock)
    (line,) = json.loads(told.stdout)["data"]
    assert line["values"]["clicks"] == last["clicks"]
    assert check_books(copy)["balanced"] is True
