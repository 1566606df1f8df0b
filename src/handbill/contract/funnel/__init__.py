"""What became of applications, as it is said and asked for: operation 57, and additions."""
