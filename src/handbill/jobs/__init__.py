"""Jobs of a client, from feeds or by API, found by reference.

It knows job rows and bodies, digests, and marks what must be matched and indexed again.
It never decides where a job is advertised.
"""
