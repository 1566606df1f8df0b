"""What many tests of rooms stand on."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ftp_server import FtpServer
from handbill.store.records import Records
from rooms.listing_market import Market, open_market


@pytest.fixture
def market(records: Records, tmp_path: Path) -> Iterator[Market]:
    found = open_market(records, tmp_path)
    yield found
    found.tools.index.close()


@pytest.fixture
def ftp(tmp_path: Path) -> Iterator[FtpServer]:
    with FtpServer(tmp_path / "ftp") as server:
        yield server
