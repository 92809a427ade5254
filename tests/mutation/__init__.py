"""Whether the tests notice when the code is changed; on request, not in CI."""
