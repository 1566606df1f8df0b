"""How the tables come to be what ``records/tables.py`` says, from any earlier release.

Revisions are numbered; each is a file in ``versions``. Until the first release there is one, and
``python -m handbill.store.migrations`` writes it anew from the tables.
"""

NEWEST = "0001"
"""The revision that this release works with; known without loading Alembic."""
