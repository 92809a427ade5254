"""SerializedAttempts the absence of a third party into an error that says what to install."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

_EXTRA = frozenset({"jwt", "trustme"})


@contextmanager
def requires_testing_extra() -> Iterator[None]:
    """Around an import of a module that needs PyJWT or trustme.

    :raises ImportError: one of them is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] not in _EXTRA:
            raise
        raise ImportError(
            f"the local Entra needs {error.name}: pip install 'azure-certvar-credential[testing]'", name=error.name
        ) from error
