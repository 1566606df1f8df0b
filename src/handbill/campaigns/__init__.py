"""Campaigns of a client, with dates, caps and overrides.

It knows a campaign's row and its default campaign.
It never matches jobs or prices clicks.
"""
