"""Postings: slots and durations bought at publishers, and their jobs (operations 39 to 48)."""
