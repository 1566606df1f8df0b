"""The tables of reports, callbacks, mails and tasks."""

import sqlalchemy as sa

from handbill.store.records.columns import WHERE, metadata
from handbill.store.records.columns import flag as _flag
from handbill.store.records.columns import key as _key
from handbill.store.records.columns import raw as _bytes
from handbill.store.records.columns import row_no as _no
from handbill.store.records.columns import text as _text
from handbill.store.records.columns import to as _to
from handbill.store.records.columns import whole as _whole

# ── stats, work ─────────────────────────────────────────────────────────────────────────────────
# family_no: the publisher family that asked; then only it may see the report.
reports = sa.Table(
    "reports",
    metadata,
    _no(),
    _text("id"),
    _to("agency_no", "agencies"),
    _whole("client_no"),
    _to("family_no", "publisher_families", null=True),
    _text("kind"),
    _text("state"),
    _whole("percent"),
    _text("question"),
    _bytes("question_digest"),
    _text("parts"),
    _text("message", null=True),
    _whole("created_at"),
    _whole("ended_at", null=True),
    _whole("expires_at"),
    sa.UniqueConstraint("id"),
    sa.Index("reports_by_client", "client_no", "no"),
    sa.Index("reports_by_end", "ended_at", "agency_no"),
)
# A question to be asked again. link_…: of the link by which anybody reads its answer, until then;
# made by link_person_no, or by a program with link_key_no and a token of link_program.
report_questions = sa.Table(
    "report_questions",
    metadata,
    _no(),
    _text("id"),
    _to("client_no", "clients"),
    _text("name"),
    _whole("days"),
    _text("told_by"),
    _whole("created_at"),
    _text("link_prefix", null=True),
    _bytes("link_digest", null=True),
    _whole("link_until", null=True),
    _to("link_person_no", "persons", null=True),
    _whole("link_key_no", null=True),
    _text("link_program", null=True),
    sa.UniqueConstraint("id"),
    sa.UniqueConstraint("link_prefix"),
    sa.Index("report_questions_by_client", "client_no", "no"),
)
# Which credential uses a stream, and until when at the latest.
report_streams = sa.Table(
    "report_streams",
    metadata,
    _key("key_no"),
    _text("holder"),
    _whole("until_at"),
)
# A notice to be sent to an agency's address about a subject: a report's id. body: set when there is
# something to tell. status: of the last answer.
callbacks = sa.Table(
    "callbacks",
    metadata,
    _no(),
    _text("id"),
    _to("agency_no", "agencies"),
    _text("subject"),
    _text("url"),
    _text("body", null=True),
    _text("state"),
    _whole("attempts"),
    _whole("status", null=True),
    _text("failure", null=True),
    _whole("created_at"),
    _whole("ended_at", null=True),
    sa.UniqueConstraint("id"),
    sa.UniqueConstraint("subject"),
    sa.Index("callbacks_by_age", "created_at"),
    sa.Index("callbacks_by_agency", "agency_no", "no"),
)
# A mail, from the transaction that causes it until two weeks later; its body is apart, and only
# there until it is sent. person_no: whose it is. about: its cause, by an id of the room that wrote.
mails = sa.Table(
    "mails",
    metadata,
    _no(),
    _text("id"),
    _to("agency_no", "agencies", null=True),
    _to("person_no", "persons"),
    _text("kind"),
    _text("about"),
    _text("recipient"),
    _text("state"),
    _whole("attempts"),
    _text("failure", null=True),
    _whole("created_at"),
    _whole("ended_at", null=True),
    sa.UniqueConstraint("id"),
    sa.Index("mails_by_person", "person_no", "no"),
    sa.Index("mails_by_age", "created_at"),
    sa.Index("mails_by_state", "state", "no"),
)
# When each item of the schedule last ran, and is due again; the items are defined in code.
schedule = sa.Table(
    "schedule",
    metadata,
    _no(),
    _text("name"),
    _whole("due_at"),
    _whole("ran_at", null=True),
    _whole("failures"),
    _text("failure", null=True),
    sa.UniqueConstraint("name"),
)
tasks = sa.Table(
    "tasks",
    metadata,
    _no(),
    _text("kind"),
    _text("key"),
    _text("payload"),
    _whole("due_at"),
    _whole("attempts"),
    _text("lease", null=True),
    _whole("leased_until", null=True),
    _text("failure", null=True),
    _flag("again"),
    _whole("created_at"),
    _whole("dead_at", null=True),
    _whole("agency_no"),
    sa.UniqueConstraint("kind", "key"),
    sa.Index("tasks_by_due", "due_at"),
)
sa.Index("tasks_by_lease", tasks.c.leased_until, info={WHERE: tasks.c.leased_until.is_not(None)})
# When a task of an agency (0: of none) was last taken.
task_turns = sa.Table("task_turns", metadata, _key("agency_no"), _whole("turn"))


idempotency = sa.Table(
    "idempotency",
    metadata,
    _no(),
    _text("scope"),
    _text("key"),
    _bytes("request_digest"),
    _whole("status"),
    _bytes("answer"),
    _whole("created_at"),
    sa.UniqueConstraint("scope", "key"),
    sa.Index("idempotency_by_age", "created_at"),
)
