"""Job groups: which jobs are advertised, where, at which bids and within which caps.

It knows filters, placements and priorities, and keeps the table of matches true. It never writes a
feed and never charges.
"""
