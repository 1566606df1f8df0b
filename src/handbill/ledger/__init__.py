"""The ledger: every event judged once, charged within every cap, and added for good.

It knows the journal's order, dispositions, counters and segments.
It never changes an entry and never loses one.
"""
