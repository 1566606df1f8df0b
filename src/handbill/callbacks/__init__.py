"""Callbacks: notices to an agency's address, signed, at least once, in eight tries at most.

It knows the address, the message, and the result. It never knows what the message is about.
"""
