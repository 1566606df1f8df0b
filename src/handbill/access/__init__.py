"""Access: agencies, keys, tokens, and the doors: may this caller touch that?

It knows credentials by digest only.
It never tells a foreign id from an unknown one.
"""
