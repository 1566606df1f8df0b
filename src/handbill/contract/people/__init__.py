"""People who sign in, and their sessions: additions to the contract."""
