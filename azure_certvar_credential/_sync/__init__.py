"""The synchronous shell: flights with threads, and the performing of the flow's effects with blocking calls."""
