"""``keys``: our own keys and the master key, listed, exchanged, retired."""

from collections.abc import Collection
from typing import Annotated, Any

import typer

from handbill.access import rotating
from handbill.access.rotating import MASTER
from handbill.callbacks.service import signing_name
from handbill.cli.speaking import DataOption, JsonOption, Mistaken, say, say_rows
from handbill.cli.standing import AgencyOption, agency_named, missing_told, standing
from handbill.host import masters
from handbill.host.outside import chance, of_this_machine
from handbill.host.settings import Settings
from handbill.kit.instants import HOUR, Instant, iso_of
from handbill.opening import open_tools, opened
from handbill.store import sealed
from handbill.store.records import Records, Tx

keys = typer.Typer(
    no_args_is_help=True, help="The installation's own keys, and the master key that encrypts them."
)
_AT_ONCE = 200
_OVERLAP = HOUR  # longer than any transaction that may have begun under the former key
KindArgument = Annotated[
    str,
    typer.Argument(
        metavar="KIND", help=f"One of {', '.join(rotating.OVERLAPS)}, callback, {MASTER}."
    ),
]
_NONE_SUCH = "there is no such key; `handbill keys list` names them"


@keys.command("list")
def list_keys(data: DataOption = None, json: JsonOption = False) -> None:
    """List the keys by kind: which one signs, and when former ones may be retired."""
    settings = standing(data)
    with opened(settings, of_this_machine(settings)) as stores, stores.records.read() as tx:
        rows: list[dict[str, Any]] = [_spell(own) for own in rotating.every(tx)]
        rows += _masters(tx, masters.Masters(settings).names())
    say_rows(rows, ("kind", "key", "since", "state", "retireFrom"), as_json=json)


@keys.command("new")
def new_key() -> None:
    """Print a new master key, for HANDBILL_SECRETS_KEY or a line of its file."""
    typer.echo(masters.drawn(chance()))


@keys.command("rotate")
def rotate(
    kind: KindArgument,
    agency_id: AgencyOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Replace a key; the former one remains valid until it is retired.

    callback needs --agency. With master, everything is encrypted again in steps; if interrupted,
    run it again.
    """
    settings = standing(data)
    if kind == MASTER:
        say({"kind": MASTER, **_rotate_master(settings)}, as_json=json)
        return
    with opened(settings, of_this_machine(settings)) as stores, stores.records.write() as tx:
        name, now = _name(tx, kind, agency_id), stores.clock.now()
        with missing_told(_NONE_SUCH):
            kid = rotating.rotate(tx, stores.ids, now, name)
        if kind == "listing":
            _write_files_again(tx, now)
    _tell_index(settings)
    say({"kind": kind, "key": kid}, as_json=json)


@keys.command("retire")
def retire(
    kind: KindArgument,
    key: Annotated[
        str, typer.Argument(metavar="KEY", help="The key's number; for master, its name.")
    ],
    agency_id: AgencyOption = None,
    at_once: Annotated[
        bool,
        typer.Option(
            "--now", help="Retire it even if something it signed may be in use; not for master."
        ),
    ] = False,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Retire a former key; what it signed is no longer valid."""
    settings = standing(data)
    if kind == MASTER:
        _retire_master(settings, key)
    else:
        with (
            opened(settings, of_this_machine(settings)) as stores,
            stores.records.write() as tx,
            missing_told(_NONE_SUCH),
        ):
            name = _name(tx, kind, agency_id)
            number = int(key) if key.isdecimal() else 0
            rotating.retire(tx, stores.clock.now(), name, number, at_once=at_once)
        _tell_index(settings)
    say({"kind": kind, "retired": key}, as_json=json)


def _name(tx: Tx, kind: str, agency_id: str | None) -> str:
    if kind == "callback":
        if agency_id is None:
            raise typer.BadParameter("name its agency: --agency A")
        return signing_name(agency_named(tx, agency_id).no)
    if kind not in rotating.OVERLAPS:
        raise typer.BadParameter(f"KIND is one of {', '.join(rotating.OVERLAPS)}, callback, master")
    return kind


def _spell(own: rotating.OwnKey) -> dict[str, Any]:
    return {
        "kind": own.name,
        "key": own.kid,
        "since": iso_of(own.created_at),
        "state": "signs" if own.retire_at is None else "verifies",
        "retireFrom": None if own.retire_at is None else iso_of(own.retire_at),
    }


def _masters(tx: Tx, here: Collection[bytes]) -> list[dict[str, Any]]:
    """The master keys that seal, that sealed what is here, or that are ``here`` still."""
    used = sealed.names_used(tx)
    rows = []
    newer: Instant | None = None
    for name, at in sealed.history(tx):
        if newer is None or name in used or name in here:
            ends = None if newer is None else iso_of(newer + _OVERLAP)
            state = "seals" if newer is None else "seals nothing"
            if newer is not None and name in used:
                state = f"seals {used[name]} secrets; rotate again"
            rows.append(
                {
                    "kind": MASTER,
                    "key": name.hex(),
                    "since": iso_of(at),
                    "state": state,
                    "retireFrom": ends,
                }
            )
        newer = at
    return rows


def _rotate_master(settings: Settings) -> dict[str, Any]:
    """Have the first key of the settings seal; one that seals already gets a successor, where the
    file of keys is our own.
    """
    with opened(settings, of_this_machine(settings)) as stores:
        now, here = stores.clock.now(), masters.Masters(settings).names()
        with stores.records.read() as tx:
            former, used = sealed.in_force(tx), sealed.names_used(tx)
        if former == here[0] and set(used) <= {former}:
            if settings.secrets_key or settings.secrets_key_file:
                raise Mistaken(
                    "the first master key is already in use: put a new one before it (`handbill "
                    "keys new` prints one), restart everything, and run this again"
                )
            masters.add_first(masters.file_of(settings), masters.drawn(stores.ids))
            here = masters.Masters(settings).names()
        if former != here[0]:
            with stores.records.write() as tx:
                sealed.put_in_force(tx, here[0], now)
                rotating.tell_master(tx, now, here[0].hex())
        count = _reseal(stores.records)
    _tell_index(settings)
    return {"key": here[0].hex(), "former": former.hex() if former else None, "sealedAnew": count}


def _reseal(records: Records) -> int:
    return records.in_steps(sealed.reseal, _AT_ONCE)


def _retire_master(settings: Settings, key: str) -> None:
    """Take a key out of our own file. **Refuses** (Mistaken) one that seals or may yet."""
    with opened(settings, of_this_machine(settings)) as stores:
        with stores.records.read() as tx:
            history = sealed.history(tx)
        names = [name.hex() for name, _ in history]
        if key not in names:
            raise Mistaken(_NONE_SUCH)
        if key == names[0]:
            raise Mistaken("this is the current master key; rotate first")
        ends = history[0][1] + _OVERLAP
        if stores.clock.now() < ends:
            raise Mistaken(
                f"a process may have used it until a moment ago: try again from {iso_of(ends)} on"
            )
        _reseal(stores.records)
    if settings.secrets_key or settings.secrets_key_file:
        raise Mistaken("nothing is encrypted with it any more: remove it from the setting or file")
    kept = masters.names_written(settings)
    if bytes.fromhex(names[0]) not in kept or key not in {name.hex() for name in kept}:
        raise Mistaken(_NONE_SUCH)
    masters.write(
        masters.file_of(settings), [text for name, text in kept.items() if name.hex() != key]
    )
    with opened(settings, of_this_machine(settings)) as stores, stores.records.write() as tx:
        rotating.tell_master(tx, stores.clock.now(), key, is_gone=True)


def _write_files_again(tx: Tx, now: Instant) -> None:
    from handbill.listings.service import publish_again

    publish_again(tx, now)


def _tell_index(settings: Settings) -> None:
    """The edge's index holds the keys of links, as the records keep them."""
    from handbill.listings.indexing import take_over_keys

    tools = open_tools(settings, of_this_machine(settings))
    try:
        take_over_keys(tools)
    finally:
        tools.index.close()
        tools.records.close()
