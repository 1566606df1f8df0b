"""Undoing: takes a change back as its own user could, through the services that own the things.

It knows the state of each kind of entity, who sets it, and what was changed since. It never writes
a row itself, and never brings back what no user could set today.
"""
