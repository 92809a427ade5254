"""The asynchronous counterparts of :mod:`azure_certvar_credential.keyvault`, under the same names.

For :class:`azure_certvar_credential.aio.CertVarCredential`. They take an asynchronous credential, such as
``azure.identity.aio.DefaultAzureCredential``, and need ``pip install 'azure-certvar-credential[aio,keyvault]'``. Under
trio they need azure-core's ``TrioRequestsTransport`` as ``transport``, as the credential does.
"""

from __future__ import annotations

import time

from azure.core.credentials_async import AsyncTokenProvider

from azure_certvar_credential._core.effects import arun
from azure_certvar_credential._transport.in_thread import in_thread
from azure_certvar_credential.certificates import ClientCertificate
from azure_certvar_credential.keyvault.base import CertificateBase, SignerBase
from azure_certvar_credential.keyvault.clients import async_performer
from azure_certvar_credential.keyvault.reading import build, read
from azure_certvar_credential.keyvault.signing import sign, trial

__all__ = ["KeyVaultCertificate", "KeyVaultSigner"]


class KeyVaultSigner(SignerBase[AsyncTokenProvider]):
    """An :class:`~azure_certvar_credential.AsyncSigner` whose key is in a vault or a Managed HSM.

    Only hashes are sent there. It needs the permission ``keys/sign`` (role 'Key Vault Crypto User', or 'Managed HSM
    Crypto User').

    >>> signer = KeyVaultSigner("https://contoso.managedhsm.azure.net/keys/app/0123", leaf, vault_credential)

    :param key_id: the key's identifier with its version, such as ``https://contoso.vault.azure.net/keys/app/0123…``
        or ``https://contoso.managedhsm.azure.net/keys/app/0123…``.
    :param public_key: the public half: a key or certificate of ``cryptography``, or PEM or DER of either.
    :param credential: an asynchronous ``AsyncTokenCredential`` that may use the vault, such as a managed identity.
    :param client_options: keyword arguments of azure-keyvault-keys' asynchronous ``CryptographyClient``: azure-core's
        ``connection_verify``, ``proxies``, ``retry_total`` and so on; ``timeout``, the seconds for one signature with
        all retries, 30 by default; ``api_version``; and ``verify_challenge_resource=False`` for a host outside Key
        Vault's domains.
    :raises ConfigurationError: an argument is not valid.
    :raises CertificateError: the public key cannot be read.
    :raises ImportError: the extra ``keyvault`` is not installed.
    """

    _asynchronous = True

    async def sign(self, message: bytes, algorithm: str) -> bytes:
        """Sign a message in the vault.

        >>> signer = KeyVaultSigner(key_id, leaf, vault_credential)
        >>> signature = await signer.sign(b"header.payload", "PS256")

        :param message: the whole message, not a hash of it.
        :param algorithm: a JWS ``alg`` value, such as ``PS256`` (RFC 7518 section 3.1).
        :returns: the raw JWS signature: the RSA signature, or ``r || s`` for ECDSA (RFC 7518 section 3.4).
        :raises ConfigurationError: the key does not fit the algorithm.
        :raises KeyVaultError: the vault did not sign.
        """
        return await arun(sign(self._key_id, self._public_key, message, algorithm), async_performer(self._access))


class KeyVaultCertificate(CertificateBase[AsyncTokenProvider, KeyVaultSigner]):
    """A certificate in a vault, for the third argument of :class:`azure_certvar_credential.aio.CertVarCredential`.

    An exportable key is fetched into memory (permissions ``certificates/get`` and ``secrets/get``; role 'Key Vault
    Certificate User'). A key that is not exportable signs in the vault (``certificates/get`` and ``keys/sign``; roles
    'Key Vault Certificate User' and 'Key Vault Crypto User'); then the chain consists of the leaf alone. The newest
    version that is enabled and within its validity is used; ``certificates/list`` is needed only if the newest version
    of all cannot be used.

    >>> certificate = KeyVaultCertificate(vault_url, "app", vault_credential)
    >>> credential = aio.CertVarCredential(tenant_id, client_id, certificate)
    >>> token = await credential.get_token("https://graph.microsoft.com/.default")

    :param vault_url: such as ``https://contoso.vault.azure.net``, or ``.azure.cn``, ``.usgovcloudapi.net`` and so on.
    :param name: the certificate's name in the vault.
    :param credential: an asynchronous ``AsyncTokenCredential`` that may use the vault, such as a managed identity.
    :param version: always use this version; None for the newest.
    :param prefer_remote: sign in the vault even if the key is exportable.
    :param max_age: seconds after which a credential reads the certificate again.
    :param client_options: keyword arguments of Key Vault's asynchronous clients: azure-core's ``connection_verify``,
        ``proxies``, ``retry_total`` and so on; ``timeout``, the seconds for one reading with all calls and retries, 30
        by default; ``api_version``; and ``verify_challenge_resource=False`` for a host outside Key Vault's domains.
    :raises ConfigurationError: an argument is not valid.
    :raises ImportError: the extra ``keyvault`` is not installed.
    """

    #: A credential with this source can be pickled if the vault's credential and the options can; see ``__getstate__``.
    holds_no_secret = True
    _asynchronous = True
    _signer_class = KeyVaultSigner

    async def __call__(self) -> ClientCertificate:
        """Read the certificate.

        :raises KeyVaultError: it cannot be read or used; the class says why.
        :raises CertificateError: Entra does not accept a key of this kind or size.
        """
        found = await arun(read(self._location, time.time()), async_performer(self._access))
        # In a thread: proving that the private key is the certificate's takes milliseconds, too long for the loop.
        certificate: ClientCertificate = await in_thread(build, found, self._signer)
        signer: object = certificate.signer
        if isinstance(signer, KeyVaultSigner):
            # ClientCertificate tries synchronous signers itself. A key that cannot sign must be known before it
            # replaces one that can.
            await signer.sign(*trial(signer.public_key))
        return certificate
