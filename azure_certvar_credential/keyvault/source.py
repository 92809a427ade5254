"""A certificate out of Azure Key Vault, as a source for :class:`~azure_certvar_credential.CertVarCredential`."""

from __future__ import annotations

import time
from typing import Any

from azure_certvar_credential.certificates import ClientCertificate
from azure_certvar_credential.certificates.sources import MAX_AGE, CertificateSource
from azure_certvar_credential.keyvault.clients import run_calls
from azure_certvar_credential.keyvault.location import access, place, require_clients
from azure_certvar_credential.keyvault.reading import Found, build, read
from azure_certvar_credential.keyvault.signer import KeyVaultSigner


class KeyVaultCertificate:
    """The certificate of a vault, for the third argument of :class:`~azure_certvar_credential.CertVarCredential`.

    If the key is exportable, it is fetched into memory (permissions ``certificates/get`` and ``secrets/get``; role
    'Key Vault Certificate User'). If not, it signs in the vault (``certificates/get`` and ``keys/sign``; the roles
    'Key Vault Certificate User' and 'Key Vault Crypto User'); then the chain consists of the leaf alone. The newest
    version that is enabled and within its validity is used; ``certificates/list`` is needed only when that is not the
    newest of all.

    :param vault_url: such as ``https://contoso.vault.azure.net``, or ``.azure.cn``, ``.usgovcloudapi.net`` and so on.
    :param name: the certificate's name in the vault.
    :param credential: what the vault is reached with: any synchronous ``TokenCredential``, such as a managed identity.
    :param version: always use this version; None for the newest.
    :param prefer_remote: sign in the vault even if the key is exportable.
    :param max_age: seconds after which a credential reads it again.
    :param client_options: keyword arguments of Key Vault's clients, see :class:`KeyVaultSigner`.
    :raises ConfigurationError: an argument cannot work.
    :raises ImportError: the extra ``keyvault`` is not installed.
    """

    #: A credential that has this source can be pickled; see ``__getstate__``.
    holds_no_secret = True

    def __init__(
        self,
        vault_url: str,
        name: str,
        credential: Any,
        *,
        version: str | None = None,
        prefer_remote: bool = False,
        max_age: float = MAX_AGE,
        **client_options: Any,
    ) -> None:
        self._place = place(vault_url, name, version, prefer_remote=prefer_remote)
        self._access = access(credential, client_options, asynchronous=False)
        self._options = client_options
        require_clients()
        self.max_age = CertificateSource(self, max_age=max_age).max_age

    def __call__(self) -> ClientCertificate:
        """Read the certificate.

        :raises KeyVaultError: it cannot be read or used; the class says why.
        :raises CertificateError: Entra takes no key of this kind or size.
        """
        return build(run_calls(read(self._place, time.time()), self._access), self._signer)

    def _signer(self, found: Found) -> KeyVaultSigner:
        return KeyVaultSigner(found.key_id, found.leaf, self._access.credential, **self._options)

    def __copy__(self) -> KeyVaultCertificate:
        return self

    def __deepcopy__(self, memo: object) -> KeyVaultCertificate:
        return self

    def __getstate__(self) -> dict[str, Any]:
        self._access.refuse_secrets_in_pickle(type(self).__name__)
        return vars(self)

    def __repr__(self) -> str:
        return f"KeyVaultCertificate({self._place.vault_url!r}, {self._place.name!r})"
