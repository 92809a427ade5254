"""What the synchronous and the asynchronous classes share: constructors, attributes, copies, pickles and texts."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Generic, TypeVar

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from azure_certvar_credential._secrecy.by_name import blank, by_name
from azure_certvar_credential._secrecy.identity import identified
from azure_certvar_credential.certificates.sources import MAX_AGE, CertificateSource
from azure_certvar_credential.keyvault.access import Access, check_access, client_class
from azure_certvar_credential.keyvault.location import check_key_id, check_location
from azure_certvar_credential.keyvault.reading import CERTIFICATES, SECRETS, Found
from azure_certvar_credential.keyvault.signing import CRYPTO
from azure_certvar_credential.signers.keys import PublicKey
from azure_certvar_credential.signers.public_keys import public_key_from

# azure-core's TokenProvider, or AsyncTokenProvider.
CredentialT = TypeVar("CredentialT")
SignerT = TypeVar("SignerT")


class VaultClient:
    """An object that calls a vault, and holds no connection and no key."""

    #: Whether the class belongs to :mod:`azure_certvar_credential.keyvault.aio`.
    _asynchronous: ClassVar[bool]
    _access: Access

    def __copy__(self) -> Any:
        return self

    def __deepcopy__(self, memo: object) -> Any:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        self._access.refuse_secrets_in_pickle(type(self).__name__)
        return by_name(type(self).__name__, (blank, (type(self),), self._state()))

    def _state(self) -> dict[str, Any]:
        return vars(self)

    def _name(self) -> str:
        return f"{'aio.' if self._asynchronous else ''}{type(self).__name__}"


class SignerBase(VaultClient, Generic[CredentialT]):
    """A signer without its ``sign``; the parameters are documented at both classes derived from it."""

    #: Signing takes a network call: a credential keeps each assertion and uses it again while it is valid.
    remote = True

    def __init__(self, key_id: str, public_key: object, credential: CredentialT, **client_options: Any) -> None:
        self._key_id = check_key_id(key_id)
        self._access = check_access(credential, client_options, asynchronous=self._asynchronous)
        self._public_key = public_key_from(public_key)
        client_class(*CRYPTO)  # reports a missing extra at once

    @property
    def public_key(self) -> PublicKey:
        """The public half of the key."""
        return self._public_key

    @property
    def key_id(self) -> str:
        """The key's identifier."""
        return self._key_id

    def _state(self) -> dict[str, Any]:
        # cryptography's keys cannot be pickled.
        der = self._public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return {**super()._state(), "_public_key": der}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, _public_key=public_key_from(state["_public_key"]))

    def __repr__(self) -> str:
        return identified(f"{self._name()} {self._key_id}", self)


class CertificateBase(VaultClient, ABC, Generic[CredentialT, SignerT]):
    """A source without its ``__call__``; the parameters are documented at both classes derived from it."""

    _signer_class: ClassVar[type[Any]]

    def __init__(
        self,
        vault_url: str,
        name: str,
        credential: CredentialT,
        *,
        version: str | None = None,
        prefer_remote: bool = False,
        max_age: float = MAX_AGE,
        **client_options: Any,
    ) -> None:
        self._location = check_location(vault_url, name, version, prefer_remote=prefer_remote)
        self._access = check_access(credential, client_options, asynchronous=self._asynchronous)
        self._options = client_options
        for client in (CERTIFICATES, SECRETS, CRYPTO):
            client_class(*client)  # reports a missing extra at once
        self.max_age = CertificateSource(self, max_age=max_age).max_age

    @abstractmethod
    def __call__(self) -> Any:
        """Read the certificate."""

    def _signer(self, found: Found) -> SignerT:
        signer: SignerT = self._signer_class(found.key_id, found.leaf, self._access.credential, **self._options)
        return signer

    def __repr__(self) -> str:
        return identified(f"{self._name()}({self._location.vault_url!r}, {self._location.name!r})", self)
