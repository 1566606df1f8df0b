"""HTTP/1.1 for the edge: connections of strangers, with a bound on all that each can hold.

It knows requests, answers and files; which of them there are, its server's ``answer`` says.
It knows no business word and never waits for one connection on behalf of another.
"""
