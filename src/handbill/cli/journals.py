"""``journal check``, ``journal quarantine``."""

from typing import Annotated

import msgspec
import typer

from handbill.cli.speaking import DataOption, JsonOption, Mistaken, say_rows, warn
from handbill.cli.standing import standing
from handbill.opening import journal_reader, opened

journal = typer.Typer(no_args_is_help=True, help="The journal: what the doors have acknowledged.")
_DAMAGE = ("source", "segment", "byte", "recordsMissing", "reason")
_RECEIPT = ("source", "segment", "fromByte", "toSegment", "toByte", "recordsMissing", "reason")


@journal.command("check")
def check(data: DataOption = None, json: JsonOption = False) -> None:
    """Read what is not judged yet, and tell what of it is damaged or lost. Exit status 0: nothing;
    1: something. Changes nothing; works beside a running server.
    """
    from handbill.ledger.quarantining import damages

    settings = standing(data)
    with opened(settings) as stores:
        reader = journal_reader(settings, stores.records)
        found = damages(stores.records, reader, stores.clock.now())
    say_rows(
        [
            {
                "source": it.source, "segment": it.at.segment, "byte": it.at.offset,
                "recordsMissing": it.records, "reason": it.reason,
            }
            for it in found
        ],
        _DAMAGE, as_json=json,
    )  # fmt: skip
    if found:
        warn("what follows is not judged; to set it aside: handbill journal quarantine")
        raise typer.Exit(1)


@journal.command("quarantine")
def quarantine(
    source: Annotated[
        str | None, typer.Argument(metavar="SOURCE", help="As `journal check` names it.")
    ] = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Set damaged stretches aside, of one source or of all, so that the rest is judged. Each gets a
    receipt of what may be missing, in the folder .quarantine of the journal. Works beside a running
    server; what is whole is left alone.
    """
    from handbill.ledger import quarantining

    settings = standing(data)
    with opened(settings) as stores:
        reader = journal_reader(settings, stores.records)
        now = stores.clock.now()
        try:
            made = quarantining.quarantine(
                stores.records, settings.journal_folder, reader, source, now
            )
        except quarantining.StillWritten as refused:
            raise Mistaken(str(refused)) from refused
        left = quarantining.damages(stores.records, reader, now)
    told = [msgspec.to_builtins(receipt) for receipt in made]
    say_rows(told, _RECEIPT, as_json=json)
    if not made and not left:
        warn("nothing is damaged")
    if left:
        warn(
            f"{len(left)} more: what is before them is judged first. Let the server, or `handbill "
            "judge --rest`, do that, and ask again"
        )
