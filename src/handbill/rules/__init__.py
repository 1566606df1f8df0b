"""Rules: if their conditions are met, something is paused or changed.

It keeps a client's rules, checked in full and in order, and pauses them. It does not run them:
control acts on clients, groups and bids.
"""
