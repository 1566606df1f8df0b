"""``journal check``, ``journal quarantine``."""

from typing import Annotated

import msgspec
import typer

from handbill.cli.speaking import DataOption, JsonOption, Mistaken, say_rows, warn
from handbill.cli.standing import standing
from handbill.host.outside import of_this_machine
from handbill.opening import journal_reader, opened

journal = typer.Typer(
    no_args_is_help=True, help="The journal: acknowledged events before they are judged."
)
_DAMAGE = ("source", "segment", "byte", "recordsMissing", "reason")
_RECEIPT = ("source", "segment", "fromByte", "toSegment", "toByte", "recordsMissing", "reason")


@journal.command("check")
def check(data: DataOption = None, json: JsonOption = False) -> None:
    """Read the events not yet judged, and report damaged or missing parts. Exit status 0: none; 1:
    some. Changes nothing; works beside a running server.
    """
    from handbill.ledger.quarantining import damages

    settings = standing(data)
    with opened(settings, of_this_machine(settings)) as stores:
        reader = journal_reader(settings, stores.records, stores.ids)
        damage = damages(stores.records, reader, stores.clock.now())
    say_rows(
        [
            {
                "source": it.source,
                "segment": it.at.segment,
                "byte": it.at.offset,
                "recordsMissing": it.records,
                "reason": it.reason,
            }
            for it in damage
        ],
        _DAMAGE,
        as_json=json,
    )
    if damage:
        warn("what follows is not judged; to set it aside: handbill journal quarantine")
        raise typer.Exit(1)


@journal.command("quarantine")
def quarantine(
    source: Annotated[
        str | None, typer.Argument(metavar="SOURCE", help="The source, from `journal check`.")
    ] = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Set damaged parts aside, of one source or of all, so that the rest is judged. A receipt in
    the journal's folder .quarantine says what may be missing. Works beside a running server; intact
    parts are left alone.
    """
    from handbill.ledger import quarantining

    settings = standing(data)
    with opened(settings, of_this_machine(settings)) as stores:
        reader = journal_reader(settings, stores.records, stores.ids)
        now = stores.clock.now()
        try:
            made = quarantining.quarantine(
                stores.records, settings.journal_folder, reader, source, now
            )
        except quarantining.SourceStillWritten as refused:
            raise Mistaken(str(refused)) from refused
        left = quarantining.damages(stores.records, reader, now)
    rows = [msgspec.to_builtins(receipt) for receipt in made]
    say_rows(rows, _RECEIPT, as_json=json)
    if not made and not left:
        warn("nothing is damaged")
    if left:
        warn(
            f"{len(left)} more: events before them must be judged first. Wait for the server, or "
            "run `handbill judge --rest`, then try again"
        )
