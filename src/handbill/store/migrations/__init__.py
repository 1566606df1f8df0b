"""How the tables become what ``records/tables.py`` says, from any earlier release.

Revisions are numbered; each is a file in ``versions``. Until the first release there is one, which
``python -m handbill.store.migrations`` writes from the tables. Its name has a digest of its
statements, by which records of another working copy are recognised.
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
"""The revision of this release; known without loading Alembic."""


def number_of(revision: str) -> str:
    """The number by which revisions are ordered."""
    return revision.partition(".")[0]
