"""The local Microsoft Entra ID: its hosts, its token endpoint, its metadata, and a resource that takes its tokens."""
