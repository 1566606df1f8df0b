"""Tracking: accepts clicks, pixels and S2S events, makes them durable, and answers.

It knows tokens, the index and the journal. It judges nothing and needs no database to redirect.
"""
