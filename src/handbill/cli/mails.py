"""``mail``: what waits, what was given up, and trying now."""

from typing import Annotated

import typer

from handbill.cli.speaking import DataOption, JsonOption, say, say_rows
from handbill.cli.standing import opened_standing, tried_now
from handbill.kit.instants import iso_of

mail = typer.Typer(no_args_is_help=True, help="Mails: invitations, reports and alerts.")
_COLUMNS = ("mailId", "kind", "to", "status", "attempts", "createdOn", "message")


@mail.command("list")
def list_mails(data: DataOption = None, json: JsonOption = False) -> None:
    """List the mails that are not sent yet, and those of two weeks that were given up."""
    from handbill.mail import service

    with opened_standing(data) as stores, stores.records.read() as tx:
        rows = [
            {
                "mailId": one.id,
                "kind": one.kind,
                "to": one.recipient,
                "status": one.state,
                "attempts": one.attempts,
                "createdOn": iso_of(one.created_at),
                "message": one.failure or "",
            }
            for one in (*service.waiting(tx), *service.given_up(tx))
        ]
    say_rows(rows, _COLUMNS, as_json=json)


@mail.command("run")
def run_mails(
    waiting: Annotated[
        bool, typer.Option(help="Include those that wait for their next attempt.")
    ] = False,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Send the mails that are due, now; works beside a running server."""
    from handbill.mail.service import hurry
    from handbill.mail.work import run_due

    say({"tried": tried_now(data, "mail", waiting, hurry, run_due)}, as_json=json)
