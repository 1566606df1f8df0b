"""Locations of addresses, from a file of the operator's in the MaxMind format (GeoIP2, GeoLite2,
DB-IP and others). No outside service is asked.
"""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import maxminddb

from handbill.core.click_definitions import NOWHERE, Location

Locate = Callable[[str], Location]
_MOST_KNOWN = 65_536


class NoGeoFile(Exception):
    """The file cannot be read. The message says what to do."""


def nowhere(_address: str) -> Location:
    """The locator of an installation without such a file."""
    return NOWHERE


def locator(path: str) -> Locate:
    """The locator of a file; with "" all locations are unknown. What is not in the file is nowhere.

    **Refuses** (NoGeoFile) a path that is no such file.
    """
    if not path:
        return nowhere
    try:
        reader = maxminddb.open_database(Path(path))
    except (OSError, maxminddb.InvalidDatabaseError, ValueError) as bad:
        raise NoGeoFile(
            f"HANDBILL_GEO_FILE: {path} cannot be read as a MaxMind database ({bad}); "
            "name another file, or none"
        ) from bad

    @lru_cache(maxsize=_MOST_KNOWN)
    def locate(address: str) -> Location:
        try:
            raw = reader.get(address)
        except ValueError:
            return NOWHERE  # no address, or of a version that the file does not have
        return _location(raw) if isinstance(raw, dict) else NOWHERE

    return locate


def _location(found: dict[str, Any]) -> Location:
    country = _part(found.get("country"))
    divisions = found.get("subdivisions")
    states = [_part(one) for one in divisions] if isinstance(divisions, list) else []
    city = _part(found.get("city"))
    return Location(
        country=str(country.get("iso_code", "")),
        city=str(_part(city.get("names")).get("en", "")),
        states=frozenset().union(*map(_spellings, states)),
        cities=_spellings(city),
    )


def _spellings(part: dict[str, Any]) -> frozenset[str]:
    names = [*_part(part.get("names")).values(), part.get("iso_code")]
    return frozenset(name.casefold() for name in names if isinstance(name, str))


def _part(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
