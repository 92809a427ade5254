"""The synchronous classes."""

from __future__ import annotations

import time

from azure.core.credentials import TokenProvider

from azure_certvar_credential._core.effects import run
from azure_certvar_credential._secrecy.tracebacks import clears_frames
from azure_certvar_credential.certificates import ClientCertificate
from azure_certvar_credential.keyvault.base import CertificateBase, SignerBase
from azure_certvar_credential.keyvault.clients import performer
from azure_certvar_credential.keyvault.reading import build, read
from azure_certvar_credential.keyvault.signing import sign


class KeyVaultSigner(SignerBase[TokenProvider]):
    """A :class:`~azure_certvar_credential.Signer` whose key is in a vault or a Managed HSM; only hashes are sent there.

    It needs the permission ``keys/sign`` (role 'Key Vault Crypto User', or 'Managed HSM Crypto User').

    >>> signer = KeyVaultSigner("https://contoso.managedhsm.azure.net/keys/app/0123", leaf, vault_credential)

    :param key_id: the key's identifier with its version, such as ``https://contoso.vault.azure.net/keys/app/0123…``
        or ``https://contoso.managedhsm.azure.net/keys/app/0123…``.
    :param public_key: the public half: a key or certificate of ``cryptography``, or PEM or DER of either.
    :param credential: a synchronous ``TokenCredential`` that may use the vault, such as a managed identity.
    :param client_options: keyword arguments of azure-keyvault-keys' ``CryptographyClient``: azure-core's
        ``connection_verify``, ``proxies``, ``retry_total`` and so on; ``timeout``, the seconds for one signature with
        all retries, 30 by default; ``api_version``; and ``verify_challenge_resource=False`` for a host outside Key
        Vault's domains.
    :raises ConfigurationError: an argument is not valid.
    :raises CertificateError: the public key cannot be read.
    :raises ImportError: the extra ``keyvault`` is not installed.
    """

    _asynchronous = False

    def sign(self, message: bytes, algorithm: str) -> bytes:
        """Sign a message in the vault.

        >>> signer = KeyVaultSigner(key_id, leaf, vault_credential)
        >>> signature = signer.sign(b"header.payload", "PS256")

        :param message: the whole message, not a hash of it.
        :param algorithm: a JWS ``alg`` value, such as ``PS256`` (RFC 7518 section 3.1).
        :returns: the raw JWS signature: the RSA signature, or ``r || s`` for ECDSA (RFC 7518 section 3.4).
        :raises ConfigurationError: the key does not fit the algorithm.
        :raises KeyVaultError: the vault did not sign.
        """
        return run(sign(self._key_id, self._public_key, message, algorithm), performer(self._access))


class KeyVaultCertificate(CertificateBase[TokenProvider, KeyVaultSigner]):
    """A certificate in a vault, for the third argument of :class:`~azure_certvar_credential.CertVarCredential`.

    An exportable key is fetched into memory (permissions ``certificates/get`` and ``secrets/get``; role 'Key Vault
    Certificate User'). A key that is not exportable signs in the vault (``certificates/get`` and ``keys/sign``; roles
    'Key Vault Certificate User' and 'Key Vault Crypto User'); then the chain consists of the leaf alone. The newest
    version that is enabled and within its validity is used; ``certificates/list`` is needed only if the newest version
    of all cannot be used.

    >>> certificate = KeyVaultCertificate(vault_url, "app", vault_credential)
    >>> credential = CertVarCredential(tenant_id, client_id, certificate)
    >>> token = credential.get_token("https://graph.microsoft.com/.default")

    :param vault_url: such as ``https://contoso.vault.azure.net``, or ``.azure.cn``, ``.usgovcloudapi.net`` and so on.
    :param name: the certificate's name in the vault.
    :param credential: a synchronous ``TokenCredential`` that may use the vault, such as a managed identity.
    :param version: always use this version; None for the newest.
    :param prefer_remote: sign in the vault even if the key is exportable.
    :param max_age: seconds after which a credential reads the certificate again.
    :param client_options: keyword arguments of Key Vault's clients: azure-core's ``connection_verify``, ``proxies``,
        ``retry_total`` and so on; ``timeout``, the seconds for one reading with all calls and retries, 30 by default;
        ``api_version``; and ``verify_challenge_resource=False`` for a host outside Key Vault's domains.
    :raises ConfigurationError: an argument is not valid.
    :raises ImportError: the extra ``keyvault`` is not installed.
    """

    #: A credential with this source can be pickled if the vault's credential and the options can; see ``__getstate__``.
    holds_no_secret = True
    _asynchronous = False
    _signer_class = KeyVaultSigner

    @clears_frames
    def __call__(self) -> ClientCertificate:
        """Read the certificate.

        :raises KeyVaultError: it cannot be read or used; the class says why.
        :raises CertificateError: Entra does not accept a key of this kind or size.
        """
        return build(run(read(self._location, time.time()), performer(self._access)), self._signer)
