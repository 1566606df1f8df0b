"""Records: the relational store. SQLite or PostgreSQL behind one query layer.

Statements are built once with SQLAlchemy Core, compiled once per dialect, and run on the raw
driver. Values are integers, text and bytes only, so that both engines answer alike.
"""

from handbill.store.records.base import Clash, Records, Tx
from handbill.store.records.opening import open_records

__all__ = ["Clash", "Records", "Tx", "open_records"]
