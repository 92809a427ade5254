"""A managed-identity endpoint for the programs of this computer, which get tokens without seeing the certificate.

``requests`` decides what to answer and does no I/O; ``answers`` writes the bodies that Azure's clients read; ``server``
listens; ``variables`` names the environment variables by which the clients find it.
"""
