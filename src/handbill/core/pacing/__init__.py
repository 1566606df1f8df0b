"""How budgets are paced for publishers that fetch copies and show them until the next fetch.

Promises decisions that can be worked out again from what they were made of. Knows caps, traffic,
copies, bids and targets. Will never read a clock or a store, and lets no float touch money: what
statistics find is rounded to millionths first.
"""
