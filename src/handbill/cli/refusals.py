"""How failures are told: as a sentence that says what to do, and by the exit status."""

import errno
import logging
import os
from pathlib import Path

from handbill.cli.speaking import Misspoken, Mistaken, warn
from handbill.config import BadSettings
from handbill.host.folders import DENIED, Unusable, advice
from handbill.kit.faults import Refused, Unavailable

UNDONE = 1
MISSPOKEN = 2
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_SAYS_NOTHING = "Bad request"
_log = logging.getLogger("handbill")


def exit_status_of(failure: Exception, *, as_log: bool) -> int | None:
    """Tell a failure; the exit status. None, and nothing is told, of a bug.

    ``as_log``: as a line of the log, which is what a process of the tree writes.
    """
    refusal = _of(failure)
    if refusal is None:
        return None
    status, words = refusal
    if as_log:
        _log.critical(words)
    elif words:
        warn(words)
    return status


def _of(failure: Exception) -> tuple[int, str] | None:
    if isinstance(failure, BadSettings | Misspoken):
        return MISSPOKEN, str(failure)
    if isinstance(failure, Mistaken | Unusable):
        return UNDONE, str(failure)
    if isinstance(failure, Refused):
        return MISSPOKEN if failure.faults else UNDONE, "\n".join(_lines(failure))
    if isinstance(failure, Unavailable):
        return UNDONE, f"{failure}; try again when it is back"
    if isinstance(failure, OSError) and failure.strerror:
        return UNDONE, _of_system(failure)
    return None


def _lines(refused: Refused) -> list[str]:
    """What was refused, and each fault beside its field; nothing twice."""
    says = refused.message
    whole = any(one.field and one.message == says for one in refused.faults)
    lines = [] if whole or (refused.faults and says == _SAYS_NOTHING) else [says]
    for one in refused.faults:
        is_said = not whole and says.endswith(one.message)
        lines.append(one.field if is_said else f"{one.field} {one.message}".strip())
    return [line for line in dict.fromkeys(lines) if line]


def _of_system(failure: OSError) -> str:
    """What the system refused, where, and the way out."""
    where = os.fsdecode(failure.filename) if isinstance(failure.filename, str | bytes) else ""
    words = f"{where}: {failure.strerror}" if where else str(failure.strerror)
    if failure.errno in DENIED:
        return f"{words}. {advice(Path(where)) if where else 'Run it as another user.'}"
    if failure.errno in _FULL:
        return f"{words}. Free space, then try again."
    return words
