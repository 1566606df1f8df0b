"""Changes in words: what was changed, and each field before and after."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from handbill.pages.wording import number, raw

_MICROS = 1_000_000
_SWITCHED = {"A": "active", "P": "paused"}
_UNSHOWN = "not shown"
_SHORT = 8
_NAMES = ("/name", "/company_name", "/mail", "/url", "/source")


def named(change: Mapping[str, Any]) -> str:
    """The name that an entity has in a change; else the beginning of its id."""
    fields = {one["field"]: one.get("after") or one.get("before") for one in change["fields"]}
    for name in _NAMES:
        if isinstance(fields.get(name), str):
            return str(fields[name])
    return short(change["entity"]["id"])


def short(id_: str) -> str:
    """The beginning of a long id."""
    return id_ if len(id_) <= 2 * _SHORT else f"{id_[:_SHORT]}…"


def told(field: Mapping[str, Any]) -> dict[str, str]:
    """A changed field: its name, and its values before and after. Amounts are in the agency's
    currency.
    """
    path = str(field["field"]).strip("/")
    is_amount = path.endswith("micros")
    name = path.removesuffix("micros").replace("/", " ").replace("_", " ").strip()
    if field.get("before") is None and field.get("after") is None:
        return {"name": name, "before": _UNSHOWN, "after": _UNSHOWN}
    values = {side: _value(path, is_amount, field.get(side)) for side in ("before", "after")}
    return {"name": name, **values}


def _value(path: str, is_amount: bool, value: Any) -> str:
    if is_amount and isinstance(value, int | Decimal):
        return number(Decimal(value) / _MICROS, 6)
    if path == "status":
        return _SWITCHED.get(value, raw(value))
    if path.rpartition("/")[2].startswith("is_") and value in (0, 1):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return f"{len(value)} values"
    if isinstance(value, list):
        return ", ".join(map(raw, value)) or "none"
    return raw(value)
