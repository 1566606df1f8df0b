"""Mails: written in the transaction that causes them, sent by the operator's server, at least once,
in eight tries at most.

It knows the recipient, the letter and the result. It never knows why somebody gets a mail.
"""
