"""HTTP/1.1 for the edge: connections of strangers, with a bound on all that each can hold.

It knows requests, answers and files; its server's ``answer`` decides what they are. It knows no
business word, and never waits for one connection on behalf of another.
"""
