"""Keeps secrets out of messages and tracebacks. The lowest layer: every other package may import it.

Every module follows these rules:

* A function that users call with a secret carries ``@clears_frames``: whatever it raises, the frames of the traceback
  no longer hold any variables. The functions that it calls need no decorator.
* ``__reduce__`` and ``__getstate__`` refuse to pickle an object that may hold a key, a password or a token.
* An error of this package is raised outside the ``except`` block that caught the cause. Otherwise the foreign
  exception, whose text or frames may hold a secret, would become its ``__context__``.
* A message repeats a caller's value only through :func:`.redaction.redact_value`, and a foreign error only through
  :func:`.redaction.redact_error`. What somebody else's code wrote that got a secret goes through
  :func:`.known_secrets.without_known`, which removes that very secret.
"""
