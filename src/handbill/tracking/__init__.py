"""Tracking: takes clicks, pixels and S2S events, makes them durable, answers.

It knows tokens, the index and the journal.
It judges nothing and needs no database to redirect.
"""
