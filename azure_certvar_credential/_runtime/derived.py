"""What the sync and the async credentials of identities without credentials have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from typing_extensions import Self  # of the standard library from Python 3.11 on; azure-core needs it too

from azure_certvar_credential._core.config import Settings
from azure_certvar_credential._core.grants import Grant
from azure_certvar_credential._runtime.cached_tokens import CachedTokens
from azure_certvar_credential._secrecy.identity import identified
from azure_certvar_credential.caches.store import CacheLookup

# The single flight of a shell.
SingleFlightT = TypeVar("SingleFlightT")


class UserTokens(CacheLookup, Protocol):
    """The tokens of one user; :class:`.user.User` implements it and is imported when it is needed."""

    @property
    def read(self) -> Callable[[], Any]:
        """Returns the user's token, checked or not, or an awaitable of it."""
        ...

    def grant(self, value: object, fmi_path: str | None) -> Grant:
        """Return the grant for what :attr:`read` returned."""
        ...


class TokensOfGrant(CacheLookup, Protocol):
    """The tokens of one grant; :class:`.grant_tokens.GrantTokens` implements it and is imported when it is needed."""

    @property
    def grant(self) -> Grant:
        """What they are asked for with."""
        ...

    @property
    def cached_tokens(self) -> CachedTokens:
        """All tokens of the credential."""
        ...

    def without_path(self, fmi_path: str | None) -> Grant:
        """Return the grant; raises ConfigurationError if there is an ``fmi_path``."""
        ...


class Derived(Generic[SingleFlightT]):
    """A credential of an identity that has no credentials: it uses another credential's certificate and connections.

    :cvar _not_pickled: why it is not pickled.
    :param settings: the other credential's, perhaps with another tenant.
    :param tokens: the identity's part of the other credential's tokens.
    :param single_flight: the other credential's.
    """

    _shown_as: ClassVar[str]
    _not_pickled: ClassVar[str]

    def __init__(self, settings: Settings, tokens: Any, single_flight: SingleFlightT) -> None:
        self._settings = settings
        self._cache = tokens
        self._single_flight: SingleFlightT = single_flight

    def __repr__(self) -> str:
        shown = f"{self._shown_as} tenant {self._settings.tenant_id}, client {self._settings.client_id}{self._whose}"
        return identified(shown, self)

    @property
    def _whose(self) -> str:
        """The part of the ``repr`` that tells the identity."""
        return ""

    def __copy__(self) -> Self:
        copy = object.__new__(type(self))
        copy.__dict__.update(self.__dict__)
        return copy

    def __deepcopy__(self, memo: object) -> Self:
        return self.__copy__()

    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError(f"an {type(self).__name__} is not pickled: {self._not_pickled}")
