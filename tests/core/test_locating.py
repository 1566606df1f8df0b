"""Where addresses are, by a file in the MaxMind format."""

from pathlib import Path
from typing import Any

import pytest
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from handbill.core.click_definitions import NOWHERE, Location
from handbill.host.locating import NoGeoFile, locator

AUSTIN: dict[str, Any] = {
    "country": {"iso_code": "US", "names": {"en": "United States"}},
    "subdivisions": [{"iso_code": "TX", "names": {"en": "Texas", "de": "TEXAS"}}],
    "city": {"names": {"en": "Austin", "ru": "Остин"}},
}


@pytest.fixture
def geo_file(tmp_path: Path) -> str:
    writer = MMDBWriter(ip_version=6, ipv4_compatible=True, database_type="Test-City")
    writer.insert_network(IPSet(["198.51.100.0/24", "2001:db8:7::/48"]), AUSTIN)
    writer.insert_network(IPSet(["203.0.113.0/25"]), {"country": {"iso_code": "DE"}})
    writer.insert_network(IPSet(["203.0.113.128/25"]), {"country": "odd", "city": [1]})
    path = tmp_path / "places.mmdb"
    writer.to_db_file(str(path))
    return str(path)


def test_an_address_is_where_the_file_says(geo_file: str) -> None:
    locate = locator(geo_file)
    austin = Location("US", "Austin", frozenset({"tx", "texas"}), frozenset({"austin", "остин"}))
    assert locate("198.51.100.77") == locate("2001:db8:7::1") == austin
    assert locate("203.0.113.1") == Location("DE")


@pytest.mark.parametrize("address", ["192.0.2.1", "", "no address", "203.0.113.200", "1.2.3"])
def test_what_the_file_does_not_say_is_nowhere(geo_file: str, address: str) -> None:
    assert locator(geo_file)(address) == NOWHERE


def test_without_a_file_everything_is_nowhere() -> None:
    assert locator("")("198.51.100.77") == NOWHERE


def test_what_is_no_such_file_is_refused_with_advice(tmp_path: Path) -> None:
    odd = tmp_path / "odd"
    odd.write_bytes(b"x" * 1_000)
    for path in (odd, tmp_path / "missing", tmp_path):
        with pytest.raises(NoGeoFile, match="name another file, or none"):
            locator(str(path))
