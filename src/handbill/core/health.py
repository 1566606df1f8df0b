"""What a door needs, check by check: whether it is met, and what to do if it is not."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from handbill.kit.figures import counted
from handbill.kit.instants import SECOND, Instant

LEAST_FILES = 1_000


class CheckResult(NamedTuple):
    """``says``: one sentence; for a check that fails, what to do."""

    name: str
    ok: bool
    says: str


class Late(NamedTuple):
    """An item of the schedule that is overdue. **Units**: micros."""

    name: str
    late: int


def report(checks: Sequence[CheckResult]) -> dict[str, Any]:
    """The body of /readyz."""
    return {
        "status": "ready" if all(check.ok for check in checks) else "not ready",
        "checks": [check._asdict() for check in checks],
    }


def disk(free: int, files: int | None, least: int) -> CheckResult:
    """``files``: how many more can be made, whatever their size; None: that has no bound."""
    if files is not None and files < LEAST_FILES:
        says = f"{counted(files, 'more file')} can be made where the data folder is (inodes)"
        return CheckResult("disk", False, f"{says}; delete files that nobody needs.")
    says = f"{free // 1_000_000} MB are free where the data folder is"
    if free >= least:
        return CheckResult("disk", True, f"{says}.")
    return CheckResult(
        "disk", False, f"{says}; free disk space, or lower HANDBILL_LEAST_FREE_BYTES ({least})."
    )


def journal(is_broken: bool) -> CheckResult:
    if is_broken:
        says = "The journal cannot be written; check that the disk has space and is writable."
        return CheckResult("journal", False, f"{says} The process then begins a new segment.")
    return CheckResult("journal", True, "The journal can be written.")


def damages(sources: Sequence[str]) -> CheckResult:
    """No source of the journal is stopped by damage; the others go on beside one that is."""
    if not sources:
        return CheckResult("damage", True, "The journal can be read.")
    says = f"The journal is damaged at {', '.join(sources)}; see `handbill journal check`."
    return CheckResult("damage", False, f"{says} All other sources are judged.")


def records_away(why: str) -> CheckResult:
    says = f"{why}; start the database, or see HANDBILL_RECORDS_URL."
    return CheckResult("records", False, says)


def judge(
    silence: float | None, waiting_since: Instant | None, now: Instant, limit_seconds: int
) -> CheckResult:
    """The judge is working, and not too far behind. ``silence``: seconds since it was last seen."""
    if silence is None or silence > limit_seconds:
        seen = "never" if silence is None else f"last {silence:.0f} s ago"
        says = f"The judge last showed activity {seen}; see the log of judge-0, or start it."
        return CheckResult("judge", False, says)
    lag = lag_seconds(waiting_since, now)
    if lag > limit_seconds:
        says = f"The judge is {lag:.0f} s behind; events are safe in the journal. See its log."
        return CheckResult("judge", False, says)
    return CheckResult("judge", True, f"The judge is {lag:.0f} s behind.")


def lag_seconds(waiting_since: Instant | None, now: Instant) -> float:
    return 0 if waiting_since is None else max(0, now - waiting_since) / SECOND


def schedule(items: Iterable[Late], limit_seconds: int) -> CheckResult:
    late = [item for item in items if item.late > limit_seconds * SECOND]
    if not late:
        return CheckResult("schedule", True, "The schedule is on time.")
    worst = max(late, key=lambda item: item.late)
    return CheckResult(
        "schedule",
        False,
        f"{len(late)} items are overdue, {worst.name} by "
        f"{worst.late // SECOND} s; check that a worker runs, and its log.",
    )


def index(is_whole: bool) -> CheckResult:
    if is_whole:
        return CheckResult("index", True, "The index holds all links.")
    says = "The index is being filled; links that it lacks are answered with 503."
    do = "Check that a worker runs, or use `handbill index rebuild`."
    return CheckResult("index", False, f"{says} {do}")


def damaged_index() -> CheckResult:
    says = "The index is damaged; a worker rebuilds it. Check that a worker runs, and its log."
    return CheckResult("index", False, says)


def feeds(missing: int) -> CheckResult:
    if not missing:
        return CheckResult("feeds", True, "The feed files are there.")
    says = f"{missing} feed files are missing; restore the folder blobs/feeds from the backup."
    return CheckResult("feeds", False, says)
