"""The grants: what the token endpoint issues once it knows the client."""
