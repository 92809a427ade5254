"""The local Key Vault as its users see it: :class:`KeyVaultEmulator` and :class:`KeyVaultServer`."""

from __future__ import annotations

import secrets
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from azure_certvar_credential.testing.entra.directory.model import Application, Tenant
from azure_certvar_credential.testing.entra.emulator import EntraEmulator
from azure_certvar_credential.testing.fault_queue import FaultQueue, Predicate
from azure_certvar_credential.testing.faults import Fault
from azure_certvar_credential.testing.http import Conditions, Request, Response, respond_json
from azure_certvar_credential.testing.key_vault.access import Gate, VaultError
from azure_certvar_credential.testing.key_vault.api import Store, read_call
from azure_certvar_credential.testing.key_vault.challenges import forget_challenges
from azure_certvar_credential.testing.key_vault.material import PKCS12, KeyPairLike, Version, load_key_pair
from azure_certvar_credential.testing.key_vault.records import KeyVaultRequest
from azure_certvar_credential.testing.server import TlsServer
from azure_certvar_credential.testing.transport import AsyncEmulatorTransport, EmulatorTransport


class KeyVaultEmulator:
    """A local Azure Key Vault with certificates and the key and the secret of each.

    It accepts the tokens of a local Entra and requests them with Key Vault's challenge. :meth:`handle` answers a
    request without I/O. :meth:`serve` serves it over loopback TLS; :meth:`transport` and :meth:`async_transport`
    connect azure-core's clients in process. A client needs ``verify_challenge_resource=False`` if it uses another host
    name than that of a vault, such as localhost. All methods are thread-safe.

    >>> vault = KeyVaultEmulator(entra)
    >>> version = vault.add_certificate("app", certificate)
    >>> client = SecretClient(vault.vault_url, credential, transport=vault.transport())
    >>> client.get_secret("app").properties.content_type
    'application/x-pkcs12'

    :param entra: the local Entra whose tokens it accepts.
    :param name: the vault's name; None to generate one. Azure's clients cache challenges by host for the whole
        process, so simultaneous vaults need different names.
    :param tenant: the vault's tenant; None for the first of ``entra``.
    :param resource: the audience of its tokens, which also selects the cloud, such as ``https://vault.azure.cn``.
    :param rbac: whether refusals have the wording of role-based access control or that of access policies.
    :param clock: the vault's time, seconds since the epoch.
    :param page_size: the largest number of items on a page of a list; 25 in Azure.
    :param max_records: the number of requests that ``requests`` keeps.

    :ivar vault_url: the vault's URL for clients that use :meth:`transport`.
    :ivar faults: the faults that wait for a request.
    """

    def __init__(
        self,
        entra: EntraEmulator,
        *,
        name: str | None = None,
        tenant: Tenant | None = None,
        resource: str = "https://vault.azure.net",
        rbac: bool = False,
        clock: Callable[[], float] = time.time,
        page_size: int = 25,
        max_records: int = 1000,
    ) -> None:
        name = name or f"kv-{secrets.token_hex(6)}"
        resource = resource.rstrip("/")
        self.vault_url = f"https://{name}.{urlsplit(resource).netloc}"
        self.faults = FaultQueue()
        self._clock = clock
        self._store = Store(page_size)
        self._gate = Gate((tenant or entra.tenant).tenant_id, resource, name, rbac=rbac)
        self._requests: deque[KeyVaultRequest] = deque(maxlen=max_records)
        self._lock = threading.Lock()

    @property
    def requests(self) -> tuple[KeyVaultRequest, ...]:
        """The latest requests, oldest first."""
        with self._lock:
            return tuple(self._requests)

    def add_certificate(
        self,
        name: str,
        certificate: KeyPairLike,
        *,
        password: bytes | None = None,
        exportable: bool = True,
        content_type: str = PKCS12,
        enabled: bool = True,
        not_before: float | None = None,
        expires: float | None = None,
        secret: str | None = None,
    ) -> str:
        """Import a certificate; an existing name gets a new version.

        >>> version = vault.add_certificate("signing", certificate, exportable=False)

        :param name: letters, digits and hyphens.
        :param certificate: the certificate and its private key: PEM as text or bytes, PFX bytes, or an object with
            ``to_pfx()``.
        :param password: the password of an encrypted PFX or PEM key.
        :param exportable: whether the secret contains the private key.
        :param content_type: the secret's content type, ``application/x-pkcs12`` or ``application/x-pem-file``.
        :param enabled: whether it may be used.
        :param not_before: seconds since the epoch; None for the certificate's own time.
        :param expires: seconds since the epoch; None for the certificate's own time.
        :param secret: the secret's value; None for the certificate itself.
        :returns: the version's id.
        :raises ValueError: the certificate is not valid or lacks its key.
        """
        pair = load_key_pair(certificate, password)
        start, end = pair.leaf.not_valid_before_utc.timestamp(), pair.leaf.not_valid_after_utc.timestamp()
        version = Version(
            pair,
            exportable,
            content_type,
            self._clock(),
            enabled,
            start if not_before is None else not_before,
            end if expires is None else expires,
            secret,
        )
        self._store.add(name, version)
        return version.id

    def rotate(self, name: str, certificate: KeyPairLike, **options: Any) -> str:
        """Add a new version to a certificate, by default with the ``exportable`` and ``content_type`` of the latest.

        >>> version = vault.rotate("app", other_certificate)

        :param options: the options of :meth:`add_certificate`.
        :returns: the version's id.
        :raises KeyError: the vault has no such certificate.
        :raises ValueError: the new certificate is not valid or lacks its key.
        """
        before = self._versions(name)[-1]
        same = {"exportable": before.exportable, "content_type": before.content_type}
        return self.add_certificate(name, certificate, **{**same, **options})

    def set_enabled(self, name: str, version: str | None = None, *, enabled: bool) -> None:
        """Enable or disable a version.

        >>> vault.set_enabled("app", enabled=False)

        :param version: its id; None for the newest.
        :raises KeyError: the vault has no such version.
        """
        for known in reversed(self._versions(name)):
            if version in (None, known.id):
                known.enabled = enabled
                return
        raise KeyError(f"the certificate {name} has no version {version}")

    def _versions(self, name: str) -> tuple[Version, ...]:
        versions = self._store.versions(name)
        if not versions:
            raise KeyError(f"the vault has no certificate {name}")
        return versions

    def allow(self, application: Application, *permissions: str) -> None:
        """Give an application exactly these permissions; without a call it has all.

        >>> vault.allow(application, "certificates/get", "secrets/get")

        :param permissions: ``certificates/get``, ``certificates/import``, ``certificates/list``, ``keys/get``,
            ``keys/sign``, ``secrets/get``.
        :raises ValueError: a permission is unknown.
        """
        self._gate.allow(application.client_id, permissions)

    def inject(self, fault: Fault, *, times: int | None = 1, when: Predicate | None = None) -> None:
        """Make the next requests fail.

        >>> vault.inject(Fault.server_error(503), times=2)

        :param fault: the fault that they meet; one that concerns tokens or AADSTS codes has no use here.
        :param times: the number of requests; None for all until ``faults.clear()``.
        :param when: selects the requests; None for every request with a token, which spares the challenges.
        :raises ValueError: ``times`` is less than one.
        """
        self.faults.add(fault, times, when or _has_token)

    def throttle(self, retry_after: float | None = 1, *, times: int | None = 1, when: Predicate | None = None) -> None:
        """Answer the next requests with Key Vault's 429; the other parameters are those of :meth:`inject`.

        >>> vault.throttle(retry_after=1, times=2)

        :param retry_after: ``Retry-After``, seconds; None for no header.
        """
        error = VaultError(
            429,
            "Throttled",
            "Request was not processed because too many requests were received. Reason: VaultRequestTypeLimitReached",
            headers=None if retry_after is None else {"Retry-After": str(retry_after)},
        )
        self.inject(
            Fault("throttled 429", lambda _serve, conditions: error.response(conditions)), times=times, when=when
        )

    def release(self) -> None:
        """Release the answers that :meth:`Fault.hang` holds.

        >>> vault.release()
        """
        self.faults.release()

    def serve(self) -> KeyVaultServer:
        """Return a context manager that serves the vault over TLS on 127.0.0.1 while it is open.

        >>> with vault.serve() as server:
        ...     print(server.vault_url)
        https://localhost:...
        """
        return KeyVaultServer(self)

    def transport(self) -> EmulatorTransport:
        """Return an azure-core transport that sends every request to this vault, whatever its host.

        >>> client = SecretClient(vault.vault_url, credential, transport=vault.transport())
        """
        return EmulatorTransport(self)

    def async_transport(self) -> AsyncEmulatorTransport:
        """Return the asyncio counterpart of :meth:`transport`.

        >>> certificate = keyvault.aio.KeyVaultCertificate(
        ...     vault.vault_url, "app", async_credential, transport=vault.async_transport()
        ... )
        """
        return AsyncEmulatorTransport(self)

    def handle(self, request: Request) -> Response:
        """Answer a request.

        >>> vault.handle(Request("GET", f"{vault.vault_url}/secrets/app?api-version=7.4")).status  # without a token
        401

        :param request: the request.
        :returns: the answer and how to deliver it; a fault changes nothing else.
        """
        conditions = Conditions(self._clock(), str(uuid.uuid4()), str(uuid.uuid4()))
        fault = self.faults.take(request)
        seen: list[str | None] = [None, None]
        if fault is None:
            response = self._answer(request, conditions, seen)
        else:
            response = fault.apply(lambda changed: self._answer(request, changed, seen), conditions)
        name = fault.name if fault else None
        with self._lock:
            self._requests.append(
                KeyVaultRequest(request.method, request.path, seen[0], seen[1], response.status, name)
            )
        if response.delivery.hold is not None:
            self.faults.hold(response.delivery.hold)
        return response

    def _answer(self, request: Request, conditions: Conditions, seen: list[str | None]) -> Response:
        try:
            # Key Vault authenticates the caller before it parses the path.
            caller = self._gate.authenticate(request, conditions.now)
            seen[1] = caller.client_id
            call = read_call(request)
            seen[0] = call.permission
            self._gate.authorize(caller, call.permission)
            return respond_json(conditions, 200, self._store.answer(request, call, conditions.now))
        except VaultError as error:
            return error.response(conditions)

    def __repr__(self) -> str:
        return f"<KeyVaultEmulator {self.vault_url}>"


def _has_token(request: Request) -> bool:
    return "authorization" in request.headers


class KeyVaultServer(TlsServer):
    """Serves the local Key Vault; see ``testing.server.TlsServer``.

    >>> with KeyVaultServer(vault, port=0) as server:
    ...     client = SecretClient(server.vault_url, credential, connection_verify=server.ca_file,
    ...                           verify_challenge_resource=False)
    ...     secret = client.get_secret("app")
    """

    emulator: KeyVaultEmulator

    def __enter__(self) -> KeyVaultServer:
        super().__enter__()
        forget_challenges(self.url)
        return self

    @property
    def vault_url(self) -> str:
        """The same as ``url``, under the name of the Key Vault clients' parameter."""
        return self.url
