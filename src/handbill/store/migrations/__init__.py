"""How the tables come to be what ``records/tables.py`` says, from any earlier release.

Revisions are numbered; each is a file in ``versions``. Until the first release there is one, and
``python -m handbill.store.migrations`` writes it anew from the tables: so its name has a digest of
its statements, by which records of another working copy are known.
"""

import hashlib
from pathlib import Path


def _initial() -> str:
    digest = hashlib.blake2b(digest_size=6)
    for script in sorted((Path(__file__).parent / "versions").glob("initial_0001.*.sql")):
        digest.update(script.read_bytes())
    return f"0001.{digest.hexdigest()}"


INITIAL = _initial()
NEWEST = INITIAL
"""The revision that this release works with; known without loading Alembic."""


def number_of(revision: str) -> str:
    """What revisions are ordered by."""
    return revision.partition(".")[0]
