"""Agencies, keys, API clients and tokens: operation 1, and additions by which an agency minds
itself.
"""
