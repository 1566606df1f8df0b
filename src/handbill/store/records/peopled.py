"""The tables of people who sign in: their passwords, sessions and links as digests only."""

import sqlalchemy as sa

from handbill.store.records.columns import metadata
from handbill.store.records.columns import raw as _bytes
from handbill.store.records.columns import row_no as _no
from handbill.store.records.columns import text as _text
from handbill.store.records.columns import to as _to
from handbill.store.records.columns import whole as _whole

# agency_no: NULL for an operator, and for a family that only the operator manages. family_no: set
# for a publisher. password: a hash in PHC form; NULL until the invitation is accepted. code_step:
# the time step of the last one-time code that was accepted; NULL: no second factor is used.
persons = sa.Table(
    "persons",
    metadata,
    _no(),
    _text("id"),
    _text("role"),
    _to("agency_no", "agencies", null=True),
    _to("family_no", "publisher_families", null=True),
    _text("mail"),
    _text("name"),
    _text("password", null=True),
    _whole("code_step", null=True),
    _whole("created_at"),
    _whole("updated_at"),
    _whole("deleted_at", null=True),
    sa.UniqueConstraint("id"),
    sa.Index("persons_by_mail", "mail", "no"),
    sa.Index("persons_by_agency", "agency_no", "no"),
)
# The clients that an employer's person may see.
person_clients = sa.Table(
    "person_clients",
    metadata,
    _no(),
    _to("person_no", "persons"),
    _to("client_no", "clients"),
    sa.UniqueConstraint("person_no", "client_no"),
)
# digest: kid of the digest key, then the keyed digest. agency_no: where the person works in this
# session; NULL for a publisher.
person_sessions = sa.Table(
    "person_sessions",
    metadata,
    _no(),
    _to("person_no", "persons"),
    _to("agency_no", "agencies", null=True),
    _text("prefix"),
    _bytes("digest"),
    _whole("created_at"),
    _whole("expires_at"),
    _whole("ends_at"),
    sa.UniqueConstraint("prefix"),
    sa.Index("person_sessions_by_person", "person_no", "no"),
    sa.Index("person_sessions_by_end", "expires_at"),
)
# Recovery codes that were not used yet, as digests keyed by what the person's codes are made from.
person_recoveries = sa.Table(
    "person_recoveries",
    metadata,
    _no(),
    _to("person_no", "persons"),
    _bytes("digest"),
    sa.UniqueConstraint("person_no", "digest"),
)
# A link that a person gets once: to set a password. person_no NULL: the set-up of the installation.
person_links = sa.Table(
    "person_links",
    metadata,
    _no(),
    _to("person_no", "persons", null=True),
    _text("prefix"),
    _bytes("digest"),
    _whole("created_at"),
    _whole("expires_at"),
    sa.UniqueConstraint("prefix"),
    sa.Index("person_links_by_person", "person_no"),
    sa.Index("person_links_by_end", "expires_at"),
)
# What a person has chosen to be mailed, and what it was mailed last.
person_mails = sa.Table(
    "person_mails",
    metadata,
    _no(),
    _to("person_no", "persons"),
    _text("choices"),
    _text("marks"),
    sa.UniqueConstraint("person_no"),
)
# An agency's own sign-in provider. body: its settings as JSON.
sign_in_providers = sa.Table(
    "sign_in_providers",
    metadata,
    _no(),
    _to("agency_no", "agencies"),
    _text("body"),
    _whole("created_at"),
    _whole("updated_at"),
    sa.UniqueConstraint("agency_no"),
)
# Who a person is to the agency's provider.
person_identities = sa.Table(
    "person_identities",
    metadata,
    _no(),
    _to("agency_no", "agencies"),
    _text("issuer"),
    _text("subject"),
    _to("person_no", "persons"),
    sa.UniqueConstraint("agency_no", "issuer", "subject"),
    sa.Index("person_identities_by_person", "person_no", "no"),
)
# Sign-ins at providers that have been finished, as digests, so that none is finished twice.
finished_sign_ins = sa.Table(
    "finished_sign_ins",
    metadata,
    _no(),
    _bytes("digest"),
    _whole("expires_at"),
    sa.UniqueConstraint("digest"),
    sa.Index("finished_sign_ins_by_end", "expires_at"),
)
# What a person was alerted of, until the cause has gone. cause: with the entity's id.
person_alerts = sa.Table(
    "person_alerts",
    metadata,
    _no(),
    _to("person_no", "persons"),
    _text("cause"),
    _whole("told_at"),
    sa.UniqueConstraint("person_no", "cause"),
)
