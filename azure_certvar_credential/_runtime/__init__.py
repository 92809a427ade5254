"""What the sync and the async credential share and the pure core may not have: clock, randomness, environment, fork."""
