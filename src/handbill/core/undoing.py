"""Whether a change may be undone, and the resulting state. Values alone: states as in changes."""

import copy
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, Literal

import msgspec

from handbill.core.trail import Act, Changed
from handbill.kit.faults import unpointed

Why = Literal[
    "UNDONE", "CREATION", "DELETION", "SECRET", "CUT", "KIND", "GONE", "FIXED", "CHANGED", "LIFTED"
]
WORDS: Final[Mapping[Why, str]] = {
    "UNDONE": "it was already undone",
    "CREATION": "what was created is not deleted by an undo",
    "DELETION": "a deletion cannot be undone",
    "SECRET": "former secrets are not stored",
    "CUT": "a long value was not stored in full",
    "KIND": "changes of this kind cannot be undone",
    "GONE": "the changed entity was deleted",
    "FIXED": "a field of it cannot be set alone",
    "CHANGED": "a field was changed again since",
    "LIFTED": "a hold that was lifted is not placed again; only its rule does that",
}
HELD: Final = "heldBy"
"""The field of an entity that names the rules that hold it."""
HELD_AT: Final = "heldAtPlacement"
"""The same for a placement, in its job group: with the publisher's number after it."""
State = dict[str, Any]


class UndoBar(msgspec.Struct, frozen=True):
    """What bars an undo. ``why`` None: nothing does. ``fields``: those concerned."""

    why: Why | None = None
    fields: tuple[str, ...] = ()


def bar_of_row(act: Act, fields: Iterable[Changed], *, undone: bool) -> UndoBar:
    """The bar that the change alone shows."""
    if undone:
        return UndoBar("UNDONE")
    if act != "CHANGE":
        return UndoBar("CREATION" if act == "CREATE" else "DELETION")
    secrets = tuple(one.field for one in fields if one.secret)
    if secrets:
        return UndoBar("SECRET", secrets)
    cut = tuple(one.field for one in fields if one.cut)
    if cut:
        return UndoBar("CUT", cut)
    lifted = tuple(one.field for one in fields if is_of_hold(one.field) and _drops(one))
    return UndoBar("LIFTED", lifted) if lifted else UndoBar()


def is_of_hold(field: str) -> bool:
    """Whether a field, by its JSON pointer, names the rules that hold something."""
    return _steps(field)[0].startswith((HELD, HELD_AT))


def _drops(one: Changed) -> bool:
    """Whether a list, or an item of it, has lost something by a change."""
    both = isinstance(one.before, list) and isinstance(one.after, list)
    return any(item not in one.after for item in one.before) if both else True


def bar_of_state(
    fields: Sequence[Changed], state: State, moved: Callable[[], Sequence[Sequence[Changed]] | None]
) -> UndoBar:
    """The bar that the current state shows. ``state``: what can be set. ``moved``: the entity's
    later changes that still hold, None if there are too many; called only if needed.
    """
    fixed = tuple(one.field for one in fields if _steps(one.field)[0] not in state)
    if fixed or not fields:
        return UndoBar("FIXED", fixed)
    changed = [one.field for one in fields if value_at(state, one.field) != one.after]
    items = [one.field for one in fields if _list_of(state, one.field)]
    if items and not changed:
        later = moved()
        since = None if later is None else {field.field for one in later for field in one}
        changed = [
            field
            for field in items
            if since is None or any(_list_of(state, field).startswith(f"{one}/") for one in since)
        ]
    return UndoBar("CHANGED", tuple(changed)) if changed else UndoBar()


def restored(fields: Iterable[Changed], state: State) -> State:
    """The state with these fields as they were before."""
    former = copy.deepcopy(state)
    for one in fields:
        *way, last = _steps(one.field)
        within: Any = former
        for step in way:
            within = within[_key(within, step)]
        if one.before is msgspec.UNSET:
            del within[_key(within, last)]
        else:
            within[_key(within, last)] = one.before
    return former


def before_all(changes: Iterable[Sequence[Changed]], state: State) -> State | None:
    """The state before all these changes, newest first; changes of fields outside it are ignored.
    None: a value was not kept, or a long one not in full.
    """
    for fields in changes:
        own = [one for one in fields if _steps(one.field)[0] in state]
        if any(one.cut or one.secret for one in own) or any(not one.field for one in fields):
            return None
        state = restored(own, state)
    return state


def value_at(state: Any, field: str) -> Any:
    """The value at a JSON pointer; UNSET if there is none."""
    for step in _steps(field):
        try:
            state = state[_key(state, step)]
        except (IndexError, KeyError, TypeError, ValueError):
            return msgspec.UNSET
    return state


def standing(rows: Iterable[tuple[int, int | None, Sequence[Changed]]]) -> list[Sequence[Changed]]:
    """Of changes (number, which one it undoes, fields), newest first: those still in force, as they
    were neither undone nor undo one of these.
    """
    by_no = {no: (undoes, fields) for no, undoes, fields in rows}
    gone: set[int] = set()
    for no, (undoes, _) in by_no.items():
        if no not in gone and undoes in by_no:
            gone |= {no, undoes} if undoes is not None else set()
    return [fields for no, (_, fields) in by_no.items() if no not in gone]


def _steps(field: str) -> list[str]:
    return [unpointed(step) for step in field.split("/")[1:]] or [""]


def _key(within: Any, step: str) -> Any:
    return int(step) if isinstance(within, list) else step


def _list_of(state: State, field: str) -> str:
    """The innermost list that contains a field, with a slash after it; empty: none does. Setting it
    as a whole may put other items in its places.
    """
    within: Any = state
    list_at, at = "", ""
    for step in field.split("/")[1:]:
        at += "/"
        if isinstance(within, list):
            list_at = at
        try:
            within = within[_key(within, unpointed(step))]
        except (IndexError, KeyError, TypeError, ValueError):
            return list_at
        at += step
    return list_at
