"""Reports of one file: operations 54 to 56, and 59 and 60 of publisher families."""
