"""Publisher families as an agency minds them: an addition to the contract (section 1)."""
