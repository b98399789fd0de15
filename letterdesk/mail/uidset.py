"""A set of UIDs kept as ranges: a mailbox of a million letters is a handful of numbers.

Text form is the sequence-set of RFC 9051 (`1:4,7`).
"""
