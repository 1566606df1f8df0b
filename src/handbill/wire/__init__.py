"""The wire: how bodies and envelopes are written, read with all faults gathered, and described.

It knows both spellings of a field. It is pure: it never looks anything up.
"""
