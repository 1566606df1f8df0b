"""Inbound feeds of clients, and their runs (operations 34 to 38, and additions)."""
