"""What a thing is and what is decided about it: filters, bids, caps, validity, charges, metrics.

Pure functions over plain values. It never reads the clock, draws an id, opens, awaits or logs.
"""
