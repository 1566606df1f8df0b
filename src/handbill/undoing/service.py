"""Use cases of undoing."""

from collections.abc import Iterable, Sequence
from typing import Final

from handbill.access import service as access
from handbill.changes import service as changes
from handbill.changes.service import RecordedChange
from handbill.clients import service as clients
from handbill.core.trail import Changed, changed
from handbill.core.undoing import (
    WORDS,
    UndoBar,
    bar_of_row,
    bar_of_state,
    restored,
    value_at,
)
from handbill.kit.faults import (
    Fault,
    Refused,
    bad_request,
    not_found,
    pointed,
    refused_state,
    step_said,
)
from handbill.kit.instants import Instant
from handbill.publishers import service as publishers
from handbill.store.records import Tx
from handbill.undoing.subjects import (
    DERIVED,
    FIND,
    NOT_FOUND,
    UndoSubject,
    held_fields,
    subject_of,
)

_MOST_DIGITS: Final = 18
_OF_PUBLISHER: Final = {"PUBLISHER", "CLICK_DEFINITION"}
Undone = tuple[Changed, ...]
"""What an undo set, field by field."""


class _OnlyLooked(Exception):
    """No error: rolls back what was done."""

    def __init__(self, done: Undone) -> None:
        super().__init__()
        self.done = done


# ── reading ─────────────────────────────────────────────────────────────────────────────────────
def bars(
    tx: Tx, now: Instant, some: Sequence[RecordedChange], *, can_locate: bool
) -> list[UndoBar]:
    """Whether each of these changes may be undone, and if not, why."""
    undone = changes.undone(tx, (one.no for one in some))
    known: dict[tuple[str | frozenset[str], ...], UndoSubject | None] = {}
    bars = []
    for one in some:
        bar = _by_row(one, undone)
        if bar.why is None:
            name = (one.kind, one.entity_id, one.client_id or "", held_fields(one))
            if name not in known:
                known[name] = subject_of(tx, now, one, can_locate=can_locate)
            bar = _by_state(tx, one, known[name])
        bars.append(bar)
    return bars


def _by_row(one: RecordedChange, undone: Iterable[int]) -> UndoBar:
    bar = bar_of_row(one.act, one.fields, undone=one.no in undone)
    if bar.why is None and (one.kind not in FIND or one.agency_no is None):
        return UndoBar("KIND")
    return bar


def _by_state(tx: Tx, one: RecordedChange, subject: UndoSubject | None) -> UndoBar:
    if subject is None:
        return UndoBar("GONE")
    return bar_of_state(_set(one), subject.state, lambda: changes.moved_since(tx, one))


def _set(one: RecordedChange) -> list[Changed]:
    """The fields of a change that were set, not derived."""
    hidden = DERIVED.get(one.kind, frozenset())
    return [field for field in one.fields if field.field.split("/")[1] not in hidden]


def number_of(text: str) -> int:
    """The number of a change. **Refuses** a text that is no number like an unknown change (404)."""
    if not text.isascii() or not text.isdigit() or len(text) > _MOST_DIGITS:
        raise not_found()
    return int(text)


# ── undoing ─────────────────────────────────────────────────────────────────────────────────────
def undo(
    tx: Tx,
    now: Instant,
    no: int,
    agency_no: int | None,
    *,
    can_locate: bool,
    only_looks: bool = False,
) -> Undone:
    """Set the fields of a change back to what they were; returns what that changed. ``agency_no``:
    only of that agency. ``only_looks``: check everything, and store nothing.

    **Refuses** a change that is not the agency's (404); one that may not be undone, with the fields
    that prevent it, and values that no user could set today (400).
    """
    one = changes.change_of(tx, no, agency_no)
    _hold(tx, one)
    tx.occasion = tx.occasion._replace(cause=f"{tx.occasion.cause} {no}", undoes=no)
    if not only_looks:
        return _undone(tx, now, one, can_locate=can_locate)

    def looked(part: Tx) -> None:
        raise _OnlyLooked(_undone(part, now, one, can_locate=can_locate))

    ended = tx.part(looked)
    if isinstance(ended, _OnlyLooked):
        return ended.done
    assert ended is not None, "it never returns"
    raise ended


def _hold(tx: Tx, one: RecordedChange) -> None:
    """Let nobody else decide about it until the transaction ends."""
    if one.client_no is not None:
        clients.lock(tx, one.client_no)
    elif one.agency_no is not None:
        access.lock_agency(tx, one.agency_no)
    if one.kind in _OF_PUBLISHER and one.agency_no is not None:
        publishers.hold(tx, one.agency_no, one.entity_id)


def _undone(tx: Tx, now: Instant, one: RecordedChange, *, can_locate: bool) -> Undone:
    bar = _by_row(one, changes.undone(tx, [one.no]))
    subject = None
    if bar.why is None:
        subject = subject_of(tx, now, one, can_locate=can_locate)
        bar = _by_state(tx, one, subject)
    if bar.why is not None:
        says = WORDS[bar.why]
        faults = [Fault(field, says) for field in bar.fields or ("",)]
        raise bad_request(faults, f"The change cannot be undone: {says}")
    assert subject is not None, "what is gone is refused"
    fields = _set(one)
    wanted = restored(fields, subject.state)
    names = frozenset(name for name in wanted if wanted[name] != subject.state[name])
    try:
        subject.put(names, wanted)
    except Refused as refused:
        raise _in_trail_names(refused) from None
    after = subject_of(tx, now, one, can_locate=can_locate)
    assert after is not None, "it is held"
    stays = [one.field for one in fields if value_at(after.state, one.field) != one.before]
    if stays:
        says = "cannot be set back to what it was"
        raise bad_request([Fault(field, says) for field in stays], says)
    return changed(subject.state, after.state)


def _in_trail_names(refused: Refused) -> Refused:
    """A service's refusal, with the field names that changes use."""
    if refused.status == NOT_FOUND:
        return refused_state("", "something that it names is deleted")
    return bad_request(
        [Fault(_pointer(one.field), one.message) for one in refused.faults], refused.message
    )


def _pointer(path: str) -> str:
    if path[:1] in {"", "/"}:
        return path
    return "".join(f"/{pointed(step_said(step))}" for step in path.split("."))
