"""``callbacks run``."""

from typing import Annotated

import typer

from handbill.cli.speaking import DataOption, JsonOption, say
from handbill.cli.standing import tried_now

callbacks = typer.Typer(
    no_args_is_help=True, help="Callbacks: notifications about finished reports."
)


@callbacks.command("run")
def run_callbacks(
    waiting: Annotated[
        bool, typer.Option(help="Include those that wait for their next attempt.")
    ] = False,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Send the callbacks that are due, now; works beside a running server."""
    from handbill.callbacks.service import hurry
    from handbill.callbacks.work import run_due

    say({"tried": tried_now(data, "callbacks", waiting, hurry, run_due)}, as_json=json)
