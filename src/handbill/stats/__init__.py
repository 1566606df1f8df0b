"""Stats: a question checked and planned when asked, answered from the ledger's segments.

It knows levels, metrics, files and links.
It never counts anything itself that the ledger has not booked.
"""
