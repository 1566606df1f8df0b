"""Dialects: how others write: inbound feeds, outbound feeds, postbacks.

Each is pure, one file, its facts as data. It never opens, logs or awaits.
"""
