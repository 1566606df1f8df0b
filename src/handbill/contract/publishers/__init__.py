"""Publishers, as an agency says and asks for them: an addition to the contract (section 1)."""
