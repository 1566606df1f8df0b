"""What is in force of each client, campaign, job group, placement and job, and why.

Promises one answer for all who ask: feeds, explanations, states and statistics. Knows switches,
dates, caps as they stand, bids, and what publishers hold. Will never read a clock or a store.
"""
