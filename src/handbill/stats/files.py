"""The parts of a report: CSV, JSONL or Parquet, at most 100,000 rows each, written as they come."""

import gzip
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from io import TextIOWrapper
from pathlib import Path
from typing import IO, Any, Final, cast

from arro3.core import Array, DataType, Table
from arro3.io import write_parquet

from handbill.core.metrics import DECIMALS
from handbill.kit.cells import csv_cell
from handbill.kit.jsons import encode

MOST_ROWS: Final = 100_000
_PLACES = 6

Row = Sequence[Any]
Put = Callable[[Row], None]
SUFFIX: Final = {"CSV": ".csv", "JSONL": ".jsonl", "PARQUET": ".parquet"}
MEDIA_TYPE: Final = {
    "CSV": "text/csv; charset=utf-8",
    "JSONL": "application/x-ndjson; charset=utf-8",
    "PARQUET": "application/vnd.apache.parquet",
}


@contextmanager
def _csv(file: IO[bytes], columns: Sequence[str]) -> Iterator[Put]:
    text = TextIOWrapper(file, encoding="utf-8", newline="")

    def put(row: Row) -> None:
        text.write(",".join(map(csv_cell, row)) + "\n")

    put(columns)
    yield put
    text.flush()
    text.detach()


@contextmanager
def _jsonl(file: IO[bytes], columns: Sequence[str]) -> Iterator[Put]:
    def put(row: Row) -> None:
        file.write(encode(dict(zip(columns, row, strict=True))) + b"\n")

    yield put


@contextmanager
def _parquet(file: IO[bytes], columns: Sequence[str]) -> Iterator[Put]:
    rows: list[Row] = []
    yield rows.append
    if rows:
        values = zip(*rows, strict=True)
        table = Table.from_pydict(
            {name: _column(name, column) for name, column in zip(columns, values, strict=True)}
        )
        write_parquet(table, file, compression="zstd(1)")


def _column(name: str, values: Sequence[Any]) -> Array:
    """Amounts and ratios are exact decimals, never floats."""
    if name in DECIMALS:
        spelled = [f"{value:f}" if isinstance(value, Decimal) else str(value) for value in values]
        return Array(spelled, DataType.utf8()).cast(DataType.decimal128(38, _PLACES))
    if isinstance(values[0], int):
        return Array(values, DataType.int64())
    return Array(values, DataType.utf8())


_WRITERS = {"CSV": _csv, "JSONL": _jsonl, "PARQUET": _parquet}


@contextmanager
def lines_into(file: IO[bytes], columns: Sequence[str], kind: str) -> Iterator[Put]:
    """An open file that takes rows as CSV or JSONL, and writes each one as it comes."""
    with _WRITERS[kind](file, columns) as put:
        yield put


@contextmanager
def part_file(path: Path, columns: Sequence[str], kind: str, *, compressed: bool) -> Iterator[Put]:
    """A file that takes rows; complete when the block ends."""
    with path.open("xb") as plain:
        if not compressed:
            with _WRITERS[kind](plain, columns) as put:
                yield put
            return
        # No name and no time inside, so that equal rows make equal files.
        with gzip.GzipFile("", "wb", 6, plain, mtime=0) as squeezed:
            file = cast("IO[bytes]", squeezed)
            with _WRITERS[kind](file, columns) as put:
                yield put
