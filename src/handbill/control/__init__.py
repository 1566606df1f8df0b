"""Control: the loop from what was spent to what is offered: caps, pacing, the bid log.

It knows counters, traffic, fetches and caps, and writes what is in force. It never acts on a single
event: only at its tick; it is never called.
"""
