"""What is in force for each client, campaign, job group, placement and job, and why.

Promises the same answer to all who ask: feeds, explanations, states and statistics. Knows switches,
dates, the state of caps, bids, and what publishers hold. Will never read a clock or a store.
"""
