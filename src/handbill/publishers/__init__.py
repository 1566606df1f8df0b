"""Publishers of an agency: bid type, minimum bid, feed schema; and publisher families.

It knows a publisher's row and body. It never knows which jobs a publisher carries.
"""
