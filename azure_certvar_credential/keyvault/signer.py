"""Signs with a key that stays in Azure Key Vault or a Managed HSM."""

from __future__ import annotations

from typing import Any

from azure_certvar_credential.keyvault.clients import asked
from azure_certvar_credential.keyvault.location import access, checked_key_id, client_class
from azure_certvar_credential.keyvault.signing import CRYPTO, checked, question
from azure_certvar_credential.signers.keys import PublicKey
from azure_certvar_credential.signers.public_keys import public_key_from


class KeyVaultSigner:
    """A :class:`~azure_certvar_credential.Signer` whose key is in a vault; the message's hash is all that goes there.

    It needs the permission ``keys/sign`` (role 'Key Vault Crypto User', or 'Managed HSM Crypto User').

    :param key_id: the key's identifier with its version, such as ``https://contoso.vault.azure.net/keys/app/0123…``
        or ``https://contoso.managedhsm.azure.net/keys/app/0123…``.
    :param public_key: the public half: a key or certificate of ``cryptography``, or PEM or DER of either.
    :param credential: any synchronous ``TokenCredential`` that the vault lets in.
    :param client_options: keyword arguments of azure-keyvault-keys' ``CryptographyClient``: azure-core's
        ``connection_verify``, ``proxies``, ``retry_total`` and so on, ``api_version`` and
        ``verify_challenge_resource=False`` for a host that is not one of Key Vault's.
    :raises ConfigurationError: an argument cannot work.
    :raises CertificateError: the public key cannot be read.
    :raises ImportError: the extra ``keyvault`` is not installed.
    """

    #: Tells the credential that signing goes over the network: its assertions are used again while they are valid.
    remote = True

    def __init__(self, key_id: str, public_key: object, credential: Any, **client_options: Any) -> None:
        self._key_id = checked_key_id(key_id)
        self._access = access(credential, client_options, asynchronous=False)
        self._public_key = public_key_from(public_key)
        client_class(CRYPTO, "CryptographyClient")  # a missing extra is known at once

    @property
    def public_key(self) -> PublicKey:
        """The public half of the key."""
        return self._public_key

    @property
    def key_id(self) -> str:
        """The key's identifier."""
        return self._key_id

    def sign(self, message: bytes, algorithm: str) -> bytes:
        """Sign ``message`` in the vault; see :meth:`.Signer.sign`.

        :raises ConfigurationError: the key does not fit the algorithm.
        :raises KeyVaultError: the vault did not sign.
        """
        answer = asked(self._access, question(self._key_id, self._public_key, message, algorithm))
        return checked(answer, message, algorithm, self._public_key, self._key_id)

    def __copy__(self) -> KeyVaultSigner:
        return self

    def __deepcopy__(self, memo: object) -> KeyVaultSigner:
        return self

    def __getstate__(self) -> dict[str, Any]:
        self._access.refuse_secrets_in_pickle(type(self).__name__)
        return vars(self)

    def __repr__(self) -> str:
        return f"<KeyVaultSigner {self._key_id}>"
