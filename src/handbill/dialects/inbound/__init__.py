"""Inbound feeds: how boards and applicant systems write lists of jobs.

It knows XML as bytes, the node names and dates that are in use.
It never decides what a job means: mapping is of the core.
"""
