"""``changes``, ``undo``: who changed what, and when."""

from collections.abc import Iterator
from typing import Annotated, get_args

import msgspec
import typer

from handbill.changes import service
from handbill.changes.service import ChangeFilter, RecordedChange
from handbill.cli.speaking import DataOption, JsonOption, Misspoken, Mistaken, say, say_lines
from handbill.cli.standing import agency_named, missing_told, opened_standing, writing
from handbill.clients.service import client_at_work
from handbill.core.trail import Actor, Changed
from handbill.kit.instants import DAY, Instant, instant_or_day, iso_of
from handbill.kit.jsons import encode
from handbill.store.records import Tx
from handbill.undoing import service as undoing

_ACTORS: dict[str, Actor] = {kind: kind for kind in get_args(Actor)}
_MOST = 10_000
_MOST_SHOWN = 60
_WHEN = "A day of UTC, or an instant such as 2026-11-27T10:00:00Z."


def changes(
    agency_id: Annotated[
        str | None, typer.Option("--agency", metavar="A", help="Only changes of this agency.")
    ] = None,
    client_id: Annotated[
        str | None, typer.Option("--client", metavar="C", help="Only changes of this client.")
    ] = None,
    entity_id: Annotated[
        str | None,
        typer.Option(
            "--entity", metavar="ID", help="Only changes of the entity with this id or key prefix."
        ),
    ] = None,
    actor: Annotated[
        str | None,
        typer.Option(
            metavar="WHO",
            help="Only by this API client, person, user or task, or by API_CLIENT, PERSON, "
            "CLI, RULE, CONTROL or SCHEDULE.",
        ),
    ] = None,
    since: Annotated[
        str | None, typer.Option(metavar="T", help=f"From this time on. {_WHEN}")
    ] = None,
    until: Annotated[
        str | None,
        typer.Option(metavar="T", help="Before this time; with a day, until its end."),
    ] = None,
    last: Annotated[int, typer.Option(min=1, max=_MOST, help="Number of entries.")] = 50,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """List who changed what, newest first; kept for 400 days. Secrets are only shown as changed.

    Fields and values are shown as stored: money in millionths.
    """
    from handbill.contract.changes.models import change_told, names_told
    from handbill.wire.models import spelled

    kind = _ACTORS.get(actor or "")
    since_at, until_at = _instant(since, "--since", 0), _instant(until, "--until", DAY)
    with opened_standing(data) as stores, stores.records.read() as tx:
        asked = ChangeFilter(
            agency_no=None if agency_id is None else agency_named(tx, agency_id).no,
            client_no=None if client_id is None else _client_no(tx, client_id),
            entity_id=entity_id,
            actor=kind,
            actor_id=actor if kind is None else None,
            since_at=since_at,
            until_at=until_at,
        )
        changes = service.page(tx, asked, last)
        can_locate = bool(stores.settings.geo_file)
        bars = undoing.bars(tx, stores.clock.now(), changes, can_locate=can_locate)
        names = names_told(tx, changes, None) if json else {}
    if json:
        rows = [spelled(change_told(*pair)) for pair in zip(changes, bars, strict=True)]
        say({"data": rows, "names": names}, as_json=True)
        return
    say_lines(_harmless(line).encode() for one in changes for line in _lines(one))


def undo(
    number: Annotated[
        str,
        typer.Argument(metavar="CHANGE", help="The change's number, as `changes` shows it."),
    ],
    validate_only: Annotated[
        bool, typer.Option("--validate-only", help="Only check, and show what would be set.")
    ] = False,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Set the fields of a change back to what they were before.

    Refused where one was changed again since, and where an update could not set it today.
    """
    from handbill.contract.changes.models import UndoDone, fields_told
    from handbill.wire.models import spelled

    missing = missing_told(f"there is no change {number!r}; `handbill changes` names them")
    with missing, writing(data) as (tx, stores):
        done = undoing.undo(
            tx,
            stores.clock.now(),
            undoing.number_of(number.removeprefix("#")),
            None,
            can_locate=bool(stores.settings.geo_file),
            only_looks=validate_only,
        )
    message = "Change can be undone" if validate_only else "Change undone"
    if json:
        answer = UndoDone.of(result=True, message=message, fields_changed=fields_told(done))
        say(spelled(answer), as_json=True)
        return
    lines = [message, *(f"    {field.field}  {_field_text(field)}" for field in done)]
    say_lines(_harmless(line).encode() for line in lines)


def _client_no(tx: Tx, client_id: str) -> int:
    """Also of one that was deleted. **Refuses** others (Mistaken)."""
    at_work = client_at_work(tx, client_id)
    if at_work is None:
        raise Mistaken(
            f"there is no client {client_id!r}; `handbill client list` names an agency's"
        )
    return at_work[0].no


def _instant(text: str | None, option: str, of_day: int) -> Instant | None:
    """``of_day``: what a day alone stands for, from its beginning. **Refuses** (Misspoken)."""
    if text is None:
        return None
    try:
        return instant_or_day(text, of_day)
    except ValueError:
        says = f"{option} {text!r} is neither a day nor an instant, such as 2026-11-27T10:00:00Z"
        raise Misspoken(says) from None


def _lines(one: RecordedChange) -> Iterator[str]:
    """A change for people: what it is, then each of its fields."""
    who = " ".join(filter(None, (one.actor, one.actor_id)))
    what = f"{one.act:<6}  {one.kind} {one.entity_id}"
    yield f"{iso_of(one.at)}  {what}  {who}  {one.cause}".rstrip() + f"  #{one.no}"
    for field in one.fields:
        yield f"    {field.field}  {_field_text(field)}"


def _harmless(line: str) -> str:
    """A line without a character that a terminal obeys: names come from outside."""
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in line)


def _field_text(field: Changed) -> str:
    if field.secret:
        return "(a secret: changed)"
    sides = [
        encode(side).decode() if side is not msgspec.UNSET else "-"
        for side in (field.before, field.after)
    ]
    short = [one if len(one) <= _MOST_SHOWN else f"{one[:_MOST_SHOWN]}…" for one in sides]
    return " → ".join(short)
