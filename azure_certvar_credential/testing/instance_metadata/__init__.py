"""The local Azure Instance Metadata Service."""
