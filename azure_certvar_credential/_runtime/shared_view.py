"""A view of a credential that its users may close."""

from __future__ import annotations

from operator import methodcaller
from types import new_class
from typing import Any, TypeVar

CredentialT = TypeVar("CredentialT")

# What ends a credential. The shells' own, under a subclass's that end it, do nothing but call the shells' close().
_ENDS = ("close", "__enter__", "__exit__", "__aenter__", "__aexit__")


def shared_view(credential: CredentialT, shell: type[Any]) -> CredentialT:
    """Return an object of the credential's class with the credential's state, whose ``close()`` does nothing.

    :param credential: the credential; only its own ``close()`` closes it.
    :param shell: the base class whose ``close()`` does nothing.
    """
    kind: type[Any] = type(credential)

    def reduced(view: Any) -> tuple[Any, ...]:
        owner = object.__new__(kind)
        owner.__dict__ = view.__dict__
        return methodcaller("shared"), (owner,)

    members = {
        **{name: vars(shell)[name] for name in _ENDS if name in vars(shell)},
        **dict.fromkeys(("shared", "__copy__", "__deepcopy__"), _itself),
        "__module__": kind.__module__,
        "__qualname__": kind.__qualname__,
        "__doc__": kind.__doc__,
        "__reduce__": reduced,
    }
    made: Any = object.__new__(new_class(kind.__name__, (kind,), exec_body=lambda namespace: namespace.update(members)))
    made.__dict__ = vars(credential)
    view: CredentialT = made
    return view


def _itself(view: Any, _memo: object = None) -> Any:
    return view
