"""What is known without a running server: settings, migrations, the OpenAPI document."""

import sys
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer

from handbill.cli.speaking import (
    DataOption,
    JsonOption,
    Mistaken,
    configured,
    say,
    settings_with,
)
from handbill.config import meanings, without_password


def settings(data: DataOption = None, json: JsonOption = False) -> None:
    """Print all settings: default, meaning, current value and its origin."""
    now = configured(data=data)
    rows = []
    for setting in meanings():
        value = _shown(getattr(now.settings, setting.name))
        rows.append(
            {
                "variable": setting.variable,
                "key": setting.name,
                "default": _shown(setting.default),
                "value": value,
                "source": now.sources[setting.name],
                "wanted": setting.wanted,
                "meaning": setting.meaning,
            }
        )
    if json:
        say({"settings": rows}, as_json=True)
        return
    for row in rows:
        sys.stdout.write(
            f"{row['variable']}={row['value']}\n"
            f"    {row['meaning']}\n"
            f"    Default: {row['default'] or 'empty'}. Now from: {row['source']}.\n"
        )


def _shown(value: Any) -> Any:
    """A value fit for a screen: lists as they are written, no password."""
    if isinstance(value, tuple):
        return ",".join(value)
    return without_password(value) if isinstance(value, str) else value


def migrate(data: DataOption = None, json: JsonOption = False) -> None:
    """Upgrade the tables of the records. `serve` does this automatically."""
    from handbill.host.outside import of_this_machine
    from handbill.opening import prepare

    chosen = settings_with(data=data)
    prepare(chosen, of_this_machine(chosen))
    say({"migrated": _shown(chosen.records_address)}, as_json=json)


def openapi(
    write: Annotated[Path | None, typer.Option(help="Write the document to this file.")] = None,
    check: Annotated[Path | None, typer.Option(help="Fail if this file is not up to date.")] = None,
) -> None:
    """Print, write or check the OpenAPI document."""
    from handbill.api import operations
    from handbill.http.openapi import text

    expected = text(operations(), version("handbill"))
    if write is not None:
        write.parent.mkdir(parents=True, exist_ok=True)
        write.write_bytes(expected)
    if check is not None and (not check.exists() or check.read_bytes() != expected):
        raise Mistaken(f"{check} is not up to date; run `make docs` and commit it")
    if write is None and check is None:
        sys.stdout.buffer.write(expected)
