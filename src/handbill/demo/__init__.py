"""The demo: a small market that can be played on an empty data folder, and feeds of any size.

It knows only made-up employers; every word and number follows from a seed. It never runs unless
asked, and no other room relies on it.
"""
