"""Callbacks: a word sent to an agency's address, signed, at least once, in eight tries at most.

It knows where to, what, and what came of it.
It never knows what the word is about.
"""
