"""Deliveries of publishers' files by FTP: an addition to the contract (section 1)."""
