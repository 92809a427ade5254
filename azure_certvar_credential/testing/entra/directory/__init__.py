"""The directory: tenants, applications, users and resources."""
