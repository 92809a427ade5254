"""The protocol, pure: no I/O, no clock, no randomness, no threads. Values and times are handed in.

Read :mod:`.flow` first: it tells the whole story on one page, and the other modules are its vocabulary.
"""
