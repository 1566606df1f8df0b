"""Nouns that this process has read before: an equal row is not read into a noun again."""

from collections.abc import Hashable
from typing import Any, Final

from handbill.store.records import Tx

_MOST: Final = 10_000
_NOUNS: dict[Hashable, Any] = {}


def remember(tx: Tx) -> None:
    """Share the nouns of a transaction with later ones. Nobody may change them."""
    if len(_NOUNS) > _MOST:
        _NOUNS.clear()
    tx.nouns = _NOUNS
