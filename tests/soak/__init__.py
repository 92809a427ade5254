"""Months in seconds: what a credential holds and sends does not grow with its age."""
