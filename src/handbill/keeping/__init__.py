"""Keeping: copies of all that an installation is, made beside it and proved when brought back.

It knows the stores as a whole: every table, the journal's folder, every blob.
It never overwrites anything, and never leaves what looks whole and is not.
"""
