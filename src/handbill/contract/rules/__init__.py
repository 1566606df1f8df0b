"""Rules, as they are said and asked for: operation 53, and additions to the contract."""
