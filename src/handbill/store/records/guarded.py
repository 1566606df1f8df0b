"""The tables of secrets: their ``value`` is sealed under a master key (store/sealed.py)."""

import sqlalchemy as sa

from handbill.store.records.columns import metadata
from handbill.store.records.columns import raw as _bytes
from handbill.store.records.columns import row_no as _no
from handbill.store.records.columns import text as _text
from handbill.store.records.columns import to as _to
from handbill.store.records.columns import whole as _whole

# The master keys that have sealed secrets here, by name and not by value; the newest one seals.
master_keys = sa.Table("master_keys", metadata, _no(), _bytes("name"), _whole("since_at"))
# Our own keys (access/keys.py), and those of callbacks.
secrets = sa.Table(
    "secrets",
    metadata,
    _no(),
    _text("name"),
    _whole("kid"),
    _bytes("value"),
    _whole("created_at"),
    sa.UniqueConstraint("name", "kid"),
)
# Passwords of a publisher's FTP server and portals, by purpose; apart from the body, so that nobody
# reads one without asking for it.
publisher_secrets = sa.Table(
    "publisher_secrets",
    metadata,
    _no(),
    _to("publisher_no", "publishers"),
    _text("name"),
    _bytes("value"),
    sa.UniqueConstraint("publisher_no", "name"),
)
# A feed's password, by its place and user.
feed_secrets = sa.Table(
    "feed_secrets",
    metadata,
    _no(),
    _to("feed_no", "feeds"),
    _text("name"),
    _bytes("value"),
    sa.UniqueConstraint("feed_no", "name"),
)
# What a person's one-time codes are made from: offered, or in force.
person_secrets = sa.Table(
    "person_secrets",
    metadata,
    _no(),
    _to("person_no", "persons"),
    _text("name"),
    _bytes("value"),
    sa.UniqueConstraint("person_no", "name"),
)
# By what Handbill proves itself to an agency's sign-in provider.
provider_secrets = sa.Table(
    "provider_secrets",
    metadata,
    _no(),
    _to("agency_no", "agencies"),
    _bytes("value"),
    sa.UniqueConstraint("agency_no"),
)
# The text of a mail that has not been sent: it may hold a link that is good once.
mail_bodies = sa.Table(
    "mail_bodies",
    metadata,
    _no(),
    _to("mail_no", "mails"),
    _bytes("value"),
    sa.UniqueConstraint("mail_no"),
)
