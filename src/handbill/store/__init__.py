"""Four ports, each with two real engines in sight: records, events, journal, blobs.

It promises durability and the same answers from every engine. It knows tables, files and drivers.
It never knows a business rule, and never commits in the middle of a request.
"""
