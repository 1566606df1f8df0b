"""Listings: each job offered to each publisher at one bid, and the outbound files with them.

It knows bids, states, exclusions, fragments and files. It never takes a click or charges one.
"""
