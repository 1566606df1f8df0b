"""People: who signs in, with which role; their sessions, invitations and second factors.

It keeps passwords as slow hashes, sessions, links and recovery codes as keyed digests, and what
one-time codes are made from sealed. It never answers whether a mail address is known.
"""
