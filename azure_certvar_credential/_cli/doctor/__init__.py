"""``certvar doctor``: the steps of signing in, one by one, and what the first that fails means."""
