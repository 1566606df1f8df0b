"""People: who signs in, with which role; their sessions and invitations.

It keeps passwords as slow hashes, and sessions and links as keyed digests. It never answers whether
a mail address is known.
"""
