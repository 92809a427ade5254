"""Pickles functions and classes by name, whichever pickler is in use.

cloudpickle, dill, joblib, Dask, Spark and Ray pickle a function or class of a script or a notebook by value: with its
code and the global variables that it uses, and one of those may be the private key. What goes through here is pickled
by the standard library, which writes names only; the other picklers see octets.
"""

from __future__ import annotations

import io
import pickle
from typing import Any, TypeVar

from azure_certvar_credential._secrecy.redaction import redact_error

T = TypeVar("T")


def by_name(owner: str, reduced: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return what ``__reduce__`` returns for an object whose functions and classes are to travel by name.

    :param owner: the object's class, for messages.
    :param reduced: what ``__reduce__`` would return otherwise. Its first item is not ``copyreg.__newobj__``, which
        picklers accept from the object itself alone.
    :raises TypeError: a part of it has no name that can be imported, or refuses to be pickled.
    """
    try:
        return _unpickled, (owner, pickle.dumps(_Reduced(reduced)))
    except (pickle.PicklingError, AttributeError) as error:  # Python's, before 3.14, for what is local to a function
        failure = type(error).__name__
    raise TypeError(
        f"a {owner} with a lambda, or with a function or class that was defined inside a function, is not pickled "
        f"({failure}): define what it refers to at the top level of a module"
    )


def blank(kind: type[T]) -> T:
    """Return an object whose constructor has not run; pickle gives it its state."""
    return object.__new__(kind)


class _Reduced:
    """Is pickled as another object."""

    def __init__(self, reduced: tuple[Any, ...]) -> None:
        self._reduced = reduced

    def __reduce__(self) -> tuple[Any, ...]:
        return self._reduced


class _Unpickler(pickle.Unpickler):
    def __init__(self, owner: str, data: bytes) -> None:
        super().__init__(io.BytesIO(data))
        self._owner = owner

    def find_class(self, module: str, name: str) -> Any:
        try:
            return super().find_class(module, name)
        except (ImportError, AttributeError) as error:
            reason = redact_error(error)
        raise pickle.UnpicklingError(
            f"this {self._owner} was pickled with a reference to {module}.{name}, which cannot be imported here "
            f"({reason}). The pickle does not carry the code, because the private key may be in it: define {name} in a "
            "module that both processes can import, not in a script or a notebook"
        )


def _unpickled(owner: str, data: bytes) -> Any:
    return _Unpickler(owner, data).load()
