"""The way to the token endpoint: azure-core's pipeline, sync and async, with a bounded body and no secret in a log."""
