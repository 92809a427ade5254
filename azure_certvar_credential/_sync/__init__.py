"""The synchronous shell: acquisitions in threads, which perform the flow's effects with blocking calls."""
