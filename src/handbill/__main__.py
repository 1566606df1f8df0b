"""``handbill``: the commands, and how each kind of failure is told."""

import sys

import typer

from handbill.cli import (
    agencies,
    callbacks,
    click_definitions,
    clients,
    demos,
    documents,
    explaining,
    families,
    feeds,
    keys,
    ledgers,
    markups,
    publishers,
    serving,
)
from handbill.cli.speaking import Mistaken, warn
from handbill.config import BadSettings
from handbill.kit.faults import Refused, Unavailable

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Programmatic job advertising on your own machine. Settings: `handbill settings`.",
)
app.command()(serving.serve)
app.command()(demos.demo)
app.command()(documents.settings)
app.command()(documents.migrate)
app.command()(documents.openapi)
app.add_typer(agencies.agency, name="agency")
app.add_typer(keys.api_key, name="api-key")
app.add_typer(keys.api_client, name="api-client")
app.add_typer(clients.client, name="client")
app.add_typer(clients.stage_map, name="stage-map")
app.add_typer(publishers.publisher, name="publisher")
app.add_typer(families.family, name="publisher-family")
app.add_typer(click_definitions.definition, name="click-definition")
app.add_typer(feeds.feed, name="feed")
app.add_typer(explaining.explain, name="explain")
app.add_typer(callbacks.callbacks, name="callbacks")
app.add_typer(ledgers.ledger, name="ledger")
app.add_typer(markups.markup, name="markup")
for child in (serving.api, serving.edge, serving.judge, serving.fetcher, serving.worker):
    app.command(rich_help_panel="The processes of serve, one by one")(child)


def main() -> None:
    """Run a command. Exit status: 0 done, 1 it could not be done, 2 it was asked for wrongly."""
    try:
        app()
    except BadSettings as bad:
        warn(str(bad))
        sys.exit(2)
    except Mistaken as mistaken:
        warn(str(mistaken))
        sys.exit(1)
    except Refused as refused:
        warn("\n".join([refused.message, *(f"{f.field} {f.message}" for f in refused.faults)]))
        sys.exit(1)
    except Unavailable as away:
        warn(f"{away}; try again when it is back")
        sys.exit(1)


if __name__ == "__main__":
    main()
