"""The asynchronous counterparts of :mod:`azure_certvar_credential.keyvault`, under the same names.

For :class:`azure_certvar_credential.aio.CertVarCredential`. They take an asynchronous credential, such as
``azure.identity.aio.DefaultAzureCredential``, and need ``pip install 'azure-certvar-credential[aio,keyvault]'``.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Generator
from typing import Any, TypeVar

from azure_certvar_credential._secrecy.tracebacks import cleared
from azure_certvar_credential.certificates import ClientCertificate
from azure_certvar_credential.certificates.sources import MAX_AGE, CertificateSource
from azure_certvar_credential.exceptions import KeyVaultError
from azure_certvar_credential.keyvault.calls import VaultCall
from azure_certvar_credential.keyvault.failures import explained
from azure_certvar_credential.keyvault.location import (
    Access,
    access,
    checked_key_id,
    client_class,
    place,
    require_clients,
    requires_keyvault_extra,
)
from azure_certvar_credential.keyvault.reading import Found, build, read
from azure_certvar_credential.keyvault.signing import CRYPTO, checked, question, trial
from azure_certvar_credential.signers.keys import PublicKey
from azure_certvar_credential.signers.public_keys import public_key_from

__all__ = ["KeyVaultCertificate", "KeyVaultSigner"]

T = TypeVar("T")


class KeyVaultSigner:
    """An :class:`~azure_certvar_credential.AsyncSigner` whose key is in a vault or a Managed HSM.

    :param key_id: see :class:`azure_certvar_credential.keyvault.KeyVaultSigner`, as for the others.
    :param public_key: the public half of the key.
    :param credential: any asynchronous credential that the vault lets in.
    :param client_options: keyword arguments of azure-keyvault-keys' asynchronous ``CryptographyClient``.
    :raises ConfigurationError: an argument cannot work.
    :raises CertificateError: the public key cannot be read.
    :raises ImportError: the extra ``keyvault`` is not installed.
    """

    #: Tells the credential that signing goes over the network: its assertions are used again while they are valid.
    remote = True

    def __init__(self, key_id: str, public_key: object, credential: Any, **client_options: Any) -> None:
        self._key_id = checked_key_id(key_id)
        self._access = access(credential, client_options, asynchronous=True)
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

    async def sign(self, message: bytes, algorithm: str) -> bytes:
        """Sign ``message`` in the vault; see :meth:`azure_certvar_credential.keyvault.KeyVaultSigner.sign`."""
        answer = await _asked(self._access, question(self._key_id, self._public_key, message, algorithm))
        return checked(answer, message, algorithm, self._public_key, self._key_id)

    def __copy__(self) -> KeyVaultSigner:
        return self

    def __deepcopy__(self, memo: object) -> KeyVaultSigner:
        return self

    def __getstate__(self) -> dict[str, Any]:
        self._access.refuse_secrets_in_pickle(type(self).__name__)
        return vars(self)

    def __repr__(self) -> str:
        return f"<aio.KeyVaultSigner {self._key_id}>"


class KeyVaultCertificate:
    """The certificate of a vault, for :class:`azure_certvar_credential.aio.CertVarCredential`.

    Parameters and errors are those of :class:`azure_certvar_credential.keyvault.KeyVaultCertificate`; the credential is
    an asynchronous one.
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
        self._access = access(credential, client_options, asynchronous=True)
        self._options = client_options
        require_clients()
        self.max_age = CertificateSource(self, max_age=max_age).max_age

    async def __call__(self) -> ClientCertificate:
        """Read the certificate; see :meth:`azure_certvar_credential.keyvault.KeyVaultCertificate.__call__`."""
        found = await _run_calls(read(self._place, time.time()), self._access)
        # Proving that the private key is the certificate's takes milliseconds, which are not the loop's to wait.
        certificate = await asyncio.to_thread(build, found, self._signer)
        signer: object = certificate.signer
        if isinstance(signer, KeyVaultSigner):
            # What the synchronous one does when the certificate is made: a key that cannot sign is known before it
            # takes the place of one that can.
            await signer.sign(*trial(signer.public_key))
        return certificate

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
        return f"aio.KeyVaultCertificate({self._place.vault_url!r}, {self._place.name!r})"


async def _run_calls(questions: Generator[VaultCall, Any, T], access: Access) -> T:
    """The asynchronous counterpart of :func:`azure_certvar_credential.keyvault.clients.run_calls`."""
    try:
        step = next(questions)
        while True:
            try:
                answer = await _asked(access, step)
            except KeyVaultError as error:
                step = questions.throw(error)
            else:
                step = questions.send(answer)
    except StopIteration as end:
        result: T = end.value
        return result
    finally:
        questions.close()


async def _asked(access: Access, asked: VaultCall) -> Any:
    """The asynchronous counterpart of :func:`azure_certvar_credential.keyvault.clients.asked`.

    A client of its own for each question also means that none belongs to another event loop.
    """
    credential = access.credential_for(asked.url)
    with requires_keyvault_extra():
        client = client_class(f"{asked.module}.aio", asked.client)(asked.target, credential, **access.options)
    try:
        answer = getattr(client, asked.method)(*asked.arguments, **access.timeouts)
        return [item async for item in answer] if asked.pages else await answer
    except BaseException as error:  # noqa: BLE001 - the credential is the caller's code, and the clients raise anything
        failure = explained(error, asked.operation, asked.subject)
    finally:
        if not access.shares_transport:
            await client.close()
    raise cleared(failure)
