"""The protocol without I/O, clock, randomness or threads: callers pass values and times in.

Read :mod:`.flow` first: it has the whole acquisition on one page, and uses the other modules.
"""
