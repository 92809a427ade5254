"""Who signs an assertion: a key in memory today, and the protocol for every other provider of a key."""
