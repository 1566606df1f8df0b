"""Damaged parts of the journal, set aside with a receipt each, so that the rest is judged.

A receipt is written before the mark moves, and counts once it has moved. After a crash between the
two, it is made again, or is settled by what the mark says.
"""

import os
from collections.abc import Iterator, Sequence
from fcntl import LOCK_EX, LOCK_NB, flock
from logging import getLogger
from pathlib import Path

import msgspec

from handbill.core.received import decode
from handbill.kit.faults import Unavailable
from handbill.kit.instants import Instant, iso_of
from handbill.store import marks
from handbill.store.durable import sync_folder
from handbill.store.journal_frames import epochs_in, path_of, witness_path
from handbill.store.journal_reading import JournalReader
from handbill.store.journal_streams import Damage, StreamMark, parts_of
from handbill.store.records import Records

_log = getLogger("handbill.ledger")
FOLDER = ".quarantine"
_PENDING, _DONE = ".pending", ".json"
_MOST = 10_000
_TRIES = 10


class DamageAlarm:
    """Raises the alarm, once for each damage of the journal that stands."""

    def __init__(self) -> None:
        self._told: frozenset[tuple[str, StreamMark]] = frozenset()

    def tell(self, damages: Sequence[Damage]) -> None:
        for damage in damages:
            if (damage.source, damage.at) not in self._told:
                _log.error(
                    "the journal of %s is damaged, and is not judged from there on: %s; "
                    "run: handbill journal quarantine",
                    damage.source,
                    damage.reason,
                    extra={"segment": damage.at.segment, "offset": damage.at.offset},
                )
        self._told = frozenset((damage.source, damage.at) for damage in damages)


class SourceStillWritten(Unavailable):
    """A process writes to the source: it has to be stopped first."""


class Receipt(msgspec.Struct, frozen=True, rename="camel"):
    """What may be missing. ``to_segment``, ``to_byte``: where reading goes on; None: nowhere.

    ``received_after`` and ``received_before``: the stamps of the records on both sides.
    ``records_missing``: at most so many; None: not known. ``kept``: files with the damaged content.
    """

    source: str
    reason: str
    segment: int
    from_byte: int
    to_segment: int | None
    to_byte: int | None
    records_missing: int | None
    received_after: str | None
    received_before: str | None
    kept: list[str]
    set_aside_at: str


def damages(records: Records, reader: JournalReader, now: Instant) -> list[Damage]:
    """Everything that cannot be judged now, as far as can be seen from here."""
    seen: list[Damage] = []
    for _ in range(_TRIES):
        with records.read() as tx:
            former = marks.read(tx).of
        seen = reader.damages(former, now)
        with records.read() as tx:
            later = marks.read(tx).of
        assert former.keys() <= later.keys(), "a mark is kept for ever"
        # What was judged meanwhile may be deleted by now: that is no loss.
        if all(later.get(it.source) == former.get(it.source) for it in seen):
            break
    return seen


def receipts(folder: Path) -> list[Receipt]:
    """What was set aside so far, in the order of names."""
    paths = sorted((folder / FOLDER).glob(f"*{_DONE}"))
    return [msgspec.json.decode(path.read_bytes(), type=Receipt) for path in paths]


def quarantine(
    records: Records, folder: Path, reader: JournalReader, source: str | None, now: Instant
) -> list[Receipt]:
    """Set aside what cannot be judged, of one source or all, and let the rest be judged.

    Only damages that the judge has reached: what is sound before a damage is judged first. Safe
    beside a running server. **Refuses** (StillWritten) if files must be moved that are written to.
    """
    (folder / FOLDER).mkdir(mode=0o700, parents=True, exist_ok=True)
    with records.write() as tx:
        marks.make_fence(tx)
    _settle(records, folder)
    done: list[Receipt] = []
    for _ in range(_MOST):
        with records.read() as tx:
            former = marks.read(tx)
        met = reader.stopped(former.of, now)
        damage = next((it for it in met if source in {None, it.source, *parts_of(it.source)}), None)
        if damage is None:
            return done
        receipt = _set_aside(folder, reader, damage, now)
        with records.write() as tx:
            if marks.hold_fence(tx) != former.batches:
                continue  # the judge has booked meanwhile: look again
            moved = {} if damage.to is None else {damage.source: damage.to}
            assert receipt.source == damage.source, "what is passed over has its receipt"
            marks.put(tx, former, former.judged_at, moved)
            if damage.to is None:
                marks.write_off(tx, damage.source, now)
        _settle(records, folder)
        done.append(receipt)
    return done


def _set_aside(folder: Path, reader: JournalReader, damage: Damage, now: Instant) -> Receipt:
    """Keep the damaged content, and write down what may be missing."""
    before, after = (_at(record) for record in reader.around(damage))
    assert damage.to is None or damage.to > damage.at, "a stretch goes forward"
    name = _name_of(damage)
    kept = [] if damage.to is not None else _move(folder, damage.source)
    if stretch := reader.stretch(damage):
        _write(folder / FOLDER / f"{name}.bytes", stretch)
        kept.append(f"{name}.bytes")
    to = damage.to
    receipt = Receipt(
        damage.source,
        damage.reason,
        damage.at.segment,
        damage.at.offset,
        to.segment if to else None,
        to.offset if to else None,
        damage.records,
        before,
        after,
        kept,
        iso_of(now),
    )
    _write(folder / FOLDER / (name + _PENDING), msgspec.json.encode(receipt))
    return receipt


def _name_of(damage: Damage) -> str:
    source, epoch = parts_of(damage.source)
    return f"{source}-{epoch}-{damage.at.segment:012d}-{damage.at.offset}"


def _move(folder: Path, stream: str) -> list[str]:
    """Set aside a whole epoch that cannot be told from what is judged; its writer begins anew."""
    source, epoch = parts_of(stream)
    if not (folder / source).exists() or epoch not in epochs_in(folder / source):
        return []
    with (folder / source / "lock").open("ab") as lock:
        try:
            flock(lock, LOCK_EX | LOCK_NB)
        except BlockingIOError as held:
            raise SourceStillWritten(
                f"the journal of {source} is older than the position judged, and a process still "
                "writes to it: stop the server first"
            ) from held
        segments = epochs_in(folder / source)[epoch]
        assert segments == sorted(segments), "an epoch is set aside in its order"
        paths = [path_of(folder / source, epoch, segment) for segment in segments]
        for path in [*paths, witness_path(folder / source, epoch)]:
            if path.exists():
                path.rename(folder / FOLDER / f"{source}-{path.name}")
        sync_folder(folder / source)
        sync_folder(folder / FOLDER)
    return [f"{source}-{path.name}" for path in paths]


def _settle(records: Records, folder: Path) -> None:
    """Settle receipts whose mark has moved; one interrupted before that is made again."""
    with records.read() as tx:
        places = marks.read(tx).of
    for path, receipt in _pending(folder):
        mark = places.get(receipt.source, StreamMark(1, 0))
        to = (receipt.to_segment or 0, receipt.to_byte or 0)
        assert not receipt.to_segment or to > (receipt.segment, receipt.from_byte), (
            "it goes forward"
        )
        is_moved = mark.is_written_off if receipt.to_segment is None else mark[:2] >= to
        if is_moved:
            path.rename(path.with_suffix(_DONE))
        else:
            path.unlink()
    sync_folder(folder / FOLDER)


def _pending(folder: Path) -> Iterator[tuple[Path, Receipt]]:
    for path in sorted((folder / FOLDER).glob(f"*{_PENDING}")):
        yield path, msgspec.json.decode(path.read_bytes(), type=Receipt)


def _at(record: bytes | None) -> str | None:
    events = decode(record) if record is not None else []
    return iso_of(events[-1].at) if events else None


def _write(path: Path, content: bytes) -> None:
    """Write a file durably, as a whole or not at all."""
    aside = path.with_name(f".{path.name}")
    with aside.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)
    sync_folder(path.parent)
