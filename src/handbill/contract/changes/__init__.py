"""Changes, as they are told: an addition to the contract (section 1)."""
