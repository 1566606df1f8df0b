"""Stats: a question is checked and planned when asked, and answered from the ledger's segments.

It knows levels, metrics, files and links. It never counts anything that the ledger has not booked.
"""
