"""Every figure that the README quotes, measured again: ``make bench``."""
