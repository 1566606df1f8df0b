"""``feed run``."""

from typing import Annotated

import typer

from handbill.cli.speaking import DataOption, JsonOption, Mistaken, say, settings_with
from handbill.kit.faults import Refused
from handbill.opening import opened, prepare

feed = typer.Typer(no_args_is_help=True, help="Inbound feeds.")


@feed.command("run")
def run_feed(
    feed_id: Annotated[str, typer.Argument(metavar="FEED_ID", help="As POST …/feeds answered it.")],
    force: Annotated[
        bool, typer.Option(help="Take the feed over although it lost more than half of its jobs.")
    ] = False,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Ask for an import now; a worker of the running server does it. Prints the run's id."""
    from handbill.feeds.service import feed_of_any, run_now

    settings = settings_with(data=data)
    prepare(settings)
    with opened(settings) as stores, stores.records.write() as tx:
        try:
            found = feed_of_any(tx, feed_id)
        except Refused as unknown:
            raise Mistaken(
                f"there is no feed {feed_id!r}; GET /clients/{{client_id}}/feeds lists a client's"
            ) from unknown
        run = run_now(tx, stores.ids, stores.clock.now(), found, force=force)
    say({"feedId": feed_id, "runId": run.id, "status": run.state}, as_json=json)
