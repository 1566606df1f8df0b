"""How budgets are paced for publishers that fetch copies and show them until the next fetch.

Promises decisions that can be computed again from their inputs. Knows caps, traffic, copies, bids
and targets. Will never read a clock or a store, or use a float for money: the results of statistics
are rounded to millionths first.
"""
