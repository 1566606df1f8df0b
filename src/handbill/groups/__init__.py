"""Job groups: which jobs, where, for how much, up to what; and which group each job is in.

It knows filters, placements and priorities, and keeps table matches true.
It never writes a feed and never charges.
"""
