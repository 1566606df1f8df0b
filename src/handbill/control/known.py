"""Nouns that this process has read before: an equal row is not read into a noun again."""

from typing import Final

from handbill.store.records import Tx
from handbill.store.records.mapper import KnownNouns

_NOUNS: Final = KnownNouns(most=10_000)


def remember(tx: Tx) -> None:
    """Share the nouns of a transaction with later ones. Nobody may change them."""
    tx.nouns = _NOUNS
