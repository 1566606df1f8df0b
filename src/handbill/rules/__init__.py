"""Rules: when such and such holds, pause this or change that.

It keeps a client's rules, checked in full and in order, and pauses them.
It does not run them: what acts on clients, groups and bids is control.
"""
