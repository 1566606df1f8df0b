"""``feed list``, ``feed runs``, ``feed run``."""

from typing import Annotated

import typer

from handbill.cli.speaking import DataOption, JsonOption, say, say_rows
from handbill.cli.standing import client_named, missing_told, opened_standing
from handbill.contract.feeds.models import run_told
from handbill.core.feeds import Feed
from handbill.feeds import service
from handbill.kit.instants import iso_of
from handbill.store.records import Tx
from handbill.wire.models import spelled

feed = typer.Typer(no_args_is_help=True, help="Inbound feeds.")
FeedArgument = Annotated[str, typer.Argument(metavar="FEED_ID", help="The feed's id.")]
_SHOWN = ("id", "source", "active", "lastUpdated")
_SHOWN_OF_RUN = ("id", "status", "percent", "createdOn", "endedOn", "message")
_AT_ONCE = 1_000


def _feed_named(tx: Tx, feed_id: str) -> Feed:
    with missing_told(f"there is no feed {feed_id!r}; `handbill feed list` names a client's"):
        return service.feed_of_any(tx, feed_id)


@feed.command("list")
def list_feeds(
    client_id: Annotated[str, typer.Argument(metavar="CLIENT", help="The client's id.")],
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """List a client's feeds, at most 1,000, oldest first."""
    with opened_standing(data) as stores, stores.records.read() as tx:
        feeds, _ = service.page(tx, client_named(tx, client_id).no, 0, _AT_ONCE)
    rows = [
        {
            "id": one.id,
            "source": one.body.url,
            "active": one.status == "A",
            "lastUpdated": iso_of(one.updated_at),
        }
        for one in feeds
    ]
    say_rows(rows, _SHOWN, as_json=json)


@feed.command("runs")
def list_runs(
    feed_id: FeedArgument,
    last: Annotated[int, typer.Option(min=1, max=_AT_ONCE, help="Number of entries.")] = 10,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """List a feed's last runs, newest first; JSON output includes counts and faults."""
    with opened_standing(data) as stores, stores.records.read() as tx:
        runs, _ = service.runs_page(tx, _feed_named(tx, feed_id).no, 0, last)
    say_rows([spelled(run_told(run)) for run in runs], _SHOWN_OF_RUN, as_json=json)


@feed.command("run")
def run_feed(
    feed_id: FeedArgument,
    force: Annotated[
        bool, typer.Option(help="Import the feed even if it lost more than half of its jobs.")
    ] = False,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Request an import now, done by the running server. Prints the run's id."""
    with opened_standing(data) as stores, stores.records.write() as tx:
        named = _feed_named(tx, feed_id)
        run = service.run_now(tx, stores.ids, stores.clock.now(), named, force=force)
    say({"feedId": feed_id, "runId": run.id, "status": run.state}, as_json=json)
