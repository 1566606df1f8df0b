"""Jobs that end on a day are in the outbound file until its last minute where the client is."""

from datetime import timedelta
from pathlib import Path

from flows.days_world import NOON, add_job, living, open_client
from sites import MAPPINGS, document, item

_DAY = NOON.date()
_MIDNIGHT = NOON.replace(hour=10) + timedelta(days=1)
"""The end of that day at UTC-10:00."""


def test_a_day_lasts_until_its_end_at_the_client(tmp_path: Path) -> None:
    with living(tmp_path) as town:
        town.new("/publishers", {"id": "Board", "name": "Board"})
        client = open_client(town, "Islands", client={"timeZone": "UTC-10:00"})
        add_job(town, client, "by-api", endAtDate=f"{_DAY:%m/%d/%Y}")
        town.site.pages["/feed.xml"] = document(
            item("by-feed", ends=f"{_DAY}"),
            item("gone", ends=f"{_DAY - timedelta(days=1)}"),
            item("stays"),
        )
        mappings = MAPPINGS | {"schemaMappingsExpirationDate": "ends"}
        feed = {"xmlFeedUrl": town.site.url(), "schemaMappings": mappings}
        town.new(f"/clients/{client}/feeds", feed)
        every = {"by-api", "by-feed", "stays"}
        town.sees("all are listed", lambda: town.is_listed("Board", every))
        town.move_to(_MIDNIGHT - timedelta(minutes=1))
        town.log_in()
        # Another one shows that the file was written anew within that minute.
        add_job(town, client, "late")
        town.sees("the last minute", lambda: town.is_listed("Board", every | {"late"}))
        assert town.ask("GET", f"/clients/{client}/jobs/by-feed")["status"] == "ACTIVE"
        town.move_to(_MIDNIGHT + timedelta(minutes=2))
        town.sees("the next day", lambda: town.is_listed("Board", {"stays", "late"}))
        assert town.ask("GET", f"/clients/{client}/jobs/by-api")["status"] == "EXPIRED"
