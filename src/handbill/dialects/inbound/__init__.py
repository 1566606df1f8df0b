"""Inbound feeds: how boards and applicant systems write lists of jobs.

It knows XML as bytes, and the node names and dates in use. It never decides what a job means:
mapping belongs to core.
"""
