"""SQL queries of a client's entries, which read only the files of the relevant days."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import duckdb

from handbill.kit.instants import Instant
from handbill.store import segment_files, segments
from handbill.store.blobs import Blobs
from handbill.store.records import Tx

_MEMORY_MB: Final = 128
Row = tuple[Any, ...]


class ClientEntries:
    """The entries of one client, as the records list them in this transaction."""

    def __init__(
        self, tx: Tx, blobs: Blobs, scratch: Path, client_no: int, duck: duckdb.DuckDBPyConnection
    ) -> None:
        assert client_no > 0, "entries are a client's"
        self._tx = tx
        self._blobs = blobs
        self._scratch = scratch
        self._client_no = client_no
        self._duck = duck

    def rows(self, first: Instant, end: Instant, text: str, **said: Any) -> list[Row]:
        """The result of a query of ``entries``, from the files that may hold any of the half-open
        range, which the query gets as $first and $end.
        """
        listed = segments.segments_within(self._tx, self._client_no, first, end)
        if not listed:
            return []
        with segment_files.files(self._blobs, listed, self._scratch) as files:
            segment_files.show(self._duck, files, self._client_no)
            return self._duck.execute(text, {"first": first, "end": end, **said}).fetchall()


@contextmanager
def entries_of(tx: Tx, blobs: Blobs, scratch: Path, client_no: int) -> Iterator[ClientEntries]:
    """A client's entries, until the block ends."""
    with segment_files.query(scratch, memory_mb=_MEMORY_MB, threads=1) as duck:
        yield ClientEntries(tx, blobs, scratch, client_no, duck)
