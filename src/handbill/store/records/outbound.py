"""The tables of outbound feeds: files, what stands in them, and how they were delivered."""

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

# The last delivery of a file by FTP. digest: of what was last brought there, and where that is;
# NULL: it is to be brought there again, whatever it is.
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
# Who fetched a file last, and which version (its written_at): status 200 or 304, by what program;
# "ftp": it was delivered. About twenty of each file are kept.
fetches = sa.Table(
    "fetches",
    metadata,
    key("file_no"),
    key("at"),
    key("version"),
    whole("status"),
    text("reader"),
)
# What each publisher has of a file, by all of these: made anew with each fetch. due_at: when it is
# expected again.
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
# The edge's public addresses that links were written with; the newest is the one in force.
link_addresses = sa.Table(
    "link_addresses",
    metadata,
    row_no(),
    text("address"),
    whole("since_at"),
)
# What one client adds to a publisher's files: the jobs rendered, in blobs under their digest.
# roster: the digest of which jobs they are; their ids are in blobs too.
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
    whole("written_at"),
    sa.UniqueConstraint("publisher_no", "client_no"),
    sa.Index("feed_parts_by_client", "client_no"),
)
# Listings that a publisher's files have ceased to show at a price: links with it end. job_id zeros:
# all jobs that the job group offered so; group_no 0: all that the client had there. Those of the
# instant noting_at of their part are being noted, in steps, and do not hold yet.
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
