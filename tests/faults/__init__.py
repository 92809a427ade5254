"""Every fault of the network and of the server, against every credential, in every state of its token.

``python -m tests.faults`` counts the rows.
"""
