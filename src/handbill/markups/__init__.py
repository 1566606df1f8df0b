"""Markups: what an agency adds to its customers' spend, from an instant on, and where.

It knows an agency's markups, and the clients, campaigns, job groups and publishers they name. It
never changes what is booked: the ledger asks it for the markups of each event, once.
"""
