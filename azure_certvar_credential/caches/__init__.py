"""Where tokens are kept: in memory, ready to be returned."""
