"""Access: agencies, keys, tokens, and the doors: may this caller access that?

It knows credentials by digest only. It never answers a foreign id differently from an unknown one.
"""
