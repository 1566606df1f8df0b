"""Inbound feeds: fetched on schedule, mapped, compared, and taken over whole or not at all.

It knows feeds, their runs and their faults. It never advertises; a failed run leaves the former
jobs unchanged.
"""
