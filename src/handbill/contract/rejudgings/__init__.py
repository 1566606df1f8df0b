"""Months judged again, as they are asked for and told: an addition to the contract."""
