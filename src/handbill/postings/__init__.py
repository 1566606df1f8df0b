"""Postings: slots and durations bought at a publisher, and the jobs that hold them.

It knows the purchases, their jobs and whose turn it is; slots are never exceeded. It never writes a
feed: listings asks it which jobs are posted.
"""
