"""The texts of objects that must not be taken for one another.

fsspec and others keep what they make by the ``repr`` of its arguments: two credentials with one text would share a
connection, and one user would get another's data.
"""

from __future__ import annotations


def identified(description: str, owner: object) -> str:
    """Return a ``repr`` that no other living object has.

    :param description: what the object is.
    :param owner: the object itself.
    """
    return f"<{description} at {id(owner):#x}>"
