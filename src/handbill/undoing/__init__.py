"""Undoing: a change is taken back as its own user could do it, by the services that own the things.

It knows for each kind how it stands and who sets it, and what was changed since.
It never writes a row itself, and never brings back what no user could set today.
"""
