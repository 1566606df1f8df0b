"""The tables' building blocks: their metadata, and the few kinds of column."""

import sqlalchemy as sa

# Every constraint has a name, so that a later migration can refer to it.
metadata = sa.MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "fk": "%(table_name)s_%(column_0_name)s_fkey",
        "ix": "%(table_name)s_by_%(column_0_N_name)s",
    }
)

# SQLite numbers rows only in an INTEGER PRIMARY KEY; PostgreSQL wants 64 bits.
Number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


# Texts compare by their bytes, as SQLite does, whatever the locale of the PostgreSQL cluster.
Text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

WHERE = "where"
"""What an index tells of itself (``info``) if it has only some rows: which."""

MOST = "most"
"""What a column tells of itself (``info``) if no more than this is ever added up in it."""
MOST_ESTIMATED = 2**63 // 512
"""In micros: 18,000 million units of money, more than is ever estimated of a day. The sum of all
days that are kept still fits into 64 bits.
"""


def row_no() -> sa.Column[int]:
    return sa.Column("no", Number, primary_key=True, autoincrement=True)


def whole(name: str, **kw: object) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=bool(kw.pop("null", False)), **kw)  # type: ignore[arg-type]


def estimated(name: str) -> sa.Column[int]:
    """A sum for estimates, which ends at MOST_ESTIMATED: with very high prices it would not fit
    into 64 bits, and then nothing could be judged.
    """
    return whole(name, info={MOST: MOST_ESTIMATED})


def key(name: str) -> sa.Column[int]:
    """A whole number that is (part of) the key of its table."""
    return sa.Column(name, Number, primary_key=True, autoincrement=False)


def flag(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.SmallInteger, nullable=False)


def text(name: str, *, null: bool = False, key: bool = False) -> sa.Column[str]:
    return sa.Column(name, Text, nullable=null, primary_key=key)


def raw(name: str, *, null: bool = False, key: bool = False) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary, nullable=null, primary_key=key)


def to(name: str, table: str, *, null: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, sa.ForeignKey(f"{table}.no"), nullable=null)
