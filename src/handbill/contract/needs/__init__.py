"""What needs somebody, over all clients of an agency: an addition to the contract (section 1)."""
