"""``client_credentials`` (RFC 6749 section 4.4): the application requests a token for itself."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import ClassVar

from azure_certvar_credential._core.grants import NO_EARLIER_LEGS, NO_HEADERS, Grant
from azure_certvar_credential._secrecy.redaction import redact_value
from azure_certvar_credential._values import Value, field
from azure_certvar_credential.exceptions import ConfigurationError

# The longest path of a federated managed identity; Microsoft documents no limit.
_MAX_PATH = 1024


class ClientCredentials(Value):
    """The application's own token.

    :ivar fmi_path: the path of a federated managed identity below this application, or None.
    :ivar leg: as :attr:`.Grant.leg`; the same token whatever it is for.
    """

    cacheable: ClassVar[bool] = True
    regional: ClassVar[bool] = True
    for_user: ClassVar[bool] = False
    fallback: ClassVar[Grant | None] = None
    added_scopes: ClassVar[tuple[str, ...]] = ()
    earlier_legs: ClassVar[Mapping[str, Grant]] = NO_EARLIER_LEGS
    refresh_token: ClassVar[str | None] = None

    fmi_path: str | None = None
    leg: str = field(default="", compare=False)

    @property
    def key(self) -> tuple[Hashable, ...]:
        """Different for each path."""
        return () if self.fmi_path is None else ("fmi_path", self.fmi_path)

    def fields(self) -> dict[str, str]:
        """Return ``grant_type``, and ``fmi_path`` if there is one, as Microsoft's library sends it."""
        fields = {"grant_type": "client_credentials"}
        return fields if self.fmi_path is None else {**fields, "fmi_path": self.fmi_path, "client_info": "1"}

    def headers(self, tenant_id: str) -> Mapping[str, str]:  # noqa: ARG002 - the protocol's
        """Return none."""
        return NO_HEADERS

    def renewed_with(self, refresh_token: str) -> Grant:  # noqa: ARG002 - not to be used (RFC 6749 section 4.4.3)
        """Return this grant: the certificate outlives any refresh token."""
        return self


APPLICATION = ClientCredentials()


def client_credentials(fmi_path: str) -> ClientCredentials:
    """Check the ``fmi_path`` of a ``get_token`` and return its grant.

    :param fmi_path: the path of a federated managed identity.
    :raises ConfigurationError: it is empty, too long, or not printable text.
    """
    if not isinstance(fmi_path, str) or not 0 < len(fmi_path) <= _MAX_PATH or not fmi_path.isprintable():
        raise ConfigurationError(
            f"fmi_path must be the path of a federated managed identity, such as 'SomeFmiPath/FmiCredential', "
            f"not {redact_value(fmi_path)}"
        )
    return ClientCredentials(fmi_path)
