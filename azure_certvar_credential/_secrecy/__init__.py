"""What keeps secrets out of texts and tracebacks: the ground floor, which every other room stands on.

The rules of secrecy, which every module keeps:

* A function that a user calls with a secret carries ``@clears_frames``: whatever it raises, the frames behind the error
  hold no variables any more. Functions below it need not think of it.
* ``__reduce__`` and ``__getstate__`` refuse to pickle what may hold a key, a password or a token.
* An error of this package is raised outside the ``except`` block that noticed the fault, so that no foreign exception,
  whose text or frames may hold a secret, stands behind it.
* A message repeats a caller's value only through :func:`.redaction.redact_value`, and somebody else's error only
  through
  :func:`.redaction.redact_error`.
"""
