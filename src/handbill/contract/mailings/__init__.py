"""Mails that a person chooses, and the links that end them: additions to the contract."""
