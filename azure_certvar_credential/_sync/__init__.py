"""The synchronous shell: single flight with threads, and the flow's effects with blocking calls."""
