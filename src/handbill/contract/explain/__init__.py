"""Explanations, as they are asked for: an addition to the contract (section 1)."""
