"""How the installation runs, as it is told to its operator.

**Source**: keeping.health.
"""

from pydantic import Field

from handbill.keeping import health
from handbill.keeping.manifest import FinishedBackup
from handbill.kit.instants import instant_of_iso
from handbill.wire.fields import Instant
from handbill.wire.models import Model
from handbill.work.depths import Failing, Queued


class CheckTold(Model):
    """The result of a check."""

    name: str = Field(description="What was looked at.")
    ok: bool = Field(description="Whether it is as it should be.")
    says: str = Field(alias="description", description="What was found, and what to do.")


class ProcessTold(Model):
    """A process of this host."""

    name: str = Field(description="Its name and number.")
    version: str = Field(description="The version that it runs.")
    silent_seconds: int = Field(
        alias="silentSeconds", description="For how long it has shown no sign of life."
    )
    seen_at: Instant = Field(alias="lastSeenOn", description="Its last sign of life.")


class JudgeTold(Model):
    """How far events are judged."""

    lag_seconds: int = Field(
        alias="lagSeconds", description="Age of the oldest event that is not judged. 0: none is."
    )
    oldest_at: Instant | None = Field(
        alias="oldestOn", description="When that event came. Null: all are judged."
    )
    unjudged_bytes: int = Field(
        alias="unjudgedBytes", description="Bytes of the journal that are not judged."
    )
    damaged: list[str] = Field(
        description="Sources of the journal that cannot be read on, because they are damaged."
    )
    aside: int = Field(
        alias="clientsSetAside", description="Number of clients whose events cannot be judged."
    )


class FailingTold(Model):
    """A task that has failed at its last try."""

    kind: str = Field(description="Kind of the task.")
    key: str = Field(
        description="What it is about, such as the id of a feed. Empty: all that its kind is about."
    )
    attempts: int = Field(description="Number of tries.")
    failure: str = Field(description="Why the last one failed.")
    dead_at: Instant | None = Field(
        alias="failedOn",
        description="When it was given up, to be tried once an hour. Null: it is tried again soon.",
    )


class QueueTold(Model):
    """Work in the background."""

    due: int = Field(description="Number of tasks that are due and not begun.")
    oldest_due_at: Instant | None = Field(
        alias="oldestDueOn", description="Since when the oldest of them is due. Null: none is."
    )
    running: int = Field(description="Number of tasks under way.")
    dead: int = Field(alias="failed", description="Number of tasks that were given up.")
    failing: list[FailingTold] = Field(
        description="Tasks that have failed at their last try, 20 at most."
    )


class DiskTold(Model):
    """Space where the data folder is."""

    free: int = Field(alias="freeBytes", description="Free bytes.")
    whole: int = Field(alias="totalBytes", description="All bytes.")
    used: int | None = Field(
        alias="dataBytes",
        description="Bytes of the files in the data folder. Null: there are too many to count.",
    )


class BackupTold(Model):
    """The last backup that was made from this data folder."""

    folder: str = Field(alias="where", description="Its folder.")
    taken_at: Instant = Field(alias="takenOn", description="The moment whose state it holds.")
    bytes: int = Field(description="Bytes of its files.")
    verified: bool = Field(description="Whether each file was read again and compared.")


class SchemaTold(Model):
    """The revision of the records."""

    revision: str = Field(description="The revision that they have.")
    needed: str = Field(description="The revision that this version needs.")


class HealthTold(Model):
    """How the installation runs."""

    ok: bool = Field(description="Whether all checks are ok.")
    version: str = Field(description="The version of the process that answers.")
    evaluated_at: Instant = Field(alias="evaluatedAt", description="When this was found.")
    checks: list[CheckTold] = Field(
        description="The result of each check, and what to do where one is not ok."
    )
    processes: list[ProcessTold] = Field(description="Processes of this host.")
    judge: JudgeTold = Field(description="The lag of the judge.")
    queue: QueueTold = Field(description="Tasks that are due, under way or failing.")
    disk: DiskTold = Field(description="Free and used space.")
    records: SchemaTold = Field(description="Whether the records fit this version.")
    backup: BackupTold | None = Field(description="The last backup. Null: none is known.")


def health_told(found: health.Health) -> HealthTold:
    return HealthTold.of(
        ok=found.ok,
        version=found.version,
        evaluated_at=found.at,
        checks=[CheckTold.of(one) for one in found.checks],
        processes=[
            ProcessTold.of(
                one,
                silent_seconds=int(one.silence),
                seen_at=found.at - round(one.silence * 1_000_000),
            )
            for one in found.processes
        ],
        judge=JudgeTold.of(found.judged),
        queue=_queue(found.queued),
        disk=DiskTold.of(found.disk),
        records=SchemaTold.of(revision=found.revision, needed=found.needed),
        backup=found.backup and _backup(found.backup),
    )


def _queue(found: Queued) -> QueueTold:
    return QueueTold.of(found, failing=[_failing(one) for one in found.failing])


def _failing(one: Failing) -> FailingTold:
    return FailingTold.of(one)


def _backup(one: FinishedBackup) -> BackupTold:
    return BackupTold.of(one, taken_at=instant_of_iso(one.taken_at))
