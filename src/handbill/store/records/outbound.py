"""The tables of outbound feeds: files, their content, and their deliveries."""

import sqlalchemy as sa

from handbill.store.records.columns import key, metadata, raw, row_no, text, to, whole

# client_no 0: the comprehensive file of all clients. name is random, fixed for life. since_at: when
# it could first be fetched.
feed_files = sa.Table(
    "feed_files",
    metadata,
    row_no(),
    to("publisher_no", "publishers"),
    whole("client_no"),
    text("name"),
    whole("since_at"),
    whole("job_count"),
    raw("digest", null=True),
    whole("written_at", null=True),
    sa.UniqueConstraint("publisher_no", "client_no"),
    sa.UniqueConstraint("name"),
)

# The last delivery of a file by FTP. digest: of what was last delivered, and where that is; NULL:
# it must be delivered again in any case.
deliveries = sa.Table(
    "deliveries",
    metadata,
    row_no(),
    to("file_no", "feed_files"),
    text("path"),
    text("state"),
    whole("size", null=True),
    raw("digest", null=True),
    text("failure", null=True),
    whole("tried_at"),
    whole("delivered_at", null=True),
    sa.UniqueConstraint("file_no"),
)
# Who last fetched a file, and which version (its written_at): status 200 or 304, by what program;
# "ftp": it was delivered. About twenty for each file are kept.
fetches = sa.Table(
    "fetches",
    metadata,
    key("file_no"),
    key("at"),
    key("version"),
    whole("status"),
    text("reader"),
)
# What each publisher has of a file, according to all fetches: updated with each. due_at: when the
# next is expected.
copies = sa.Table(
    "copies",
    metadata,
    key("file_no"),
    whole("version"),
    whole("fetched_at"),
    whole("due_at"),
    text("reader"),
    sa.Index("copies_by_due", "due_at"),
)
# The edge's public addresses used in links; the newest is in force.
link_addresses = sa.Table(
    "link_addresses",
    metadata,
    row_no(),
    text("address"),
    whole("since_at"),
)
# What one client contributes to a publisher's files: the rendered jobs, in blobs under their
# digest. roster: the digest of the list of these jobs; their ids are in blobs too. clear_at: when
# blobs of former parts are to be deleted that are there still.
feed_parts = sa.Table(
    "feed_parts",
    metadata,
    row_no(),
    to("publisher_no", "publishers"),
    whole("client_no"),
    raw("digest"),
    whole("job_count"),
    whole("plain_bytes"),
    whole("crc"),
    raw("roster"),
    whole("noting_at", null=True),
    whole("clear_at", null=True),
    whole("written_at"),
    sa.UniqueConstraint("publisher_no", "client_no"),
    sa.Index("feed_parts_by_client", "client_no"),
)
# Listings that a publisher's files no longer show at a price: links with it end. job_id zeros: all
# jobs that the job group offered so; group_no 0: all of the client there. Those with the instant
# noting_at of their part are being noted, in steps, and do not apply yet.
departures = sa.Table(
    "departures",
    metadata,
    key("publisher_no"),
    raw("job_id", key=True),
    key("group_no"),
    key("client_no"),
    text("bid_type", key=True),
    key("bid_micros"),
    key("price_micros"),
    key("left_at"),
    sa.Index("departures_by_age", "left_at"),
)
