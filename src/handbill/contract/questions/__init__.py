"""Saved questions and their links: an addition to the contract (section 1)."""
