"""The wire: how bodies and envelopes are spelled, read with all faults gathered, and described.

It knows both spellings of a field.
It is pure: it never looks anything up.
"""
