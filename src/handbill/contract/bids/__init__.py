"""The bid log, as it is asked for: an addition to the contract (section 1)."""
