"""What many tests of rooms stand on."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from handbill.store.records import Records
from rooms.listing_market import Market, open_market


@pytest.fixture
def market(records: Records, tmp_path: Path) -> Iterator[Market]:
    found = open_market(records, tmp_path)
    yield found
    found.tools.index.close()
