"""Runs ``certvar demo``: every step of signing in, from end to end, against the local Entra."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from collections.abc import Callable, Mapping
from time import perf_counter
from typing import Any, TypeVar

from azure.core import PipelineClient
from azure.core.pipeline.policies import BearerTokenCredentialPolicy
from azure.core.rest import HttpRequest
from rich.console import Console
from rich.table import Table

from azure_certvar_credential._credential import CertVarCredential
from azure_certvar_credential.certificates import ClientCertificate
from azure_certvar_credential.keyvault import KeyVaultCertificate
from azure_certvar_credential.testing import PROTECTED_RESOURCE, EntraEmulator, EntraServer, KeyVaultEmulator

T = TypeVar("T")

_PASSWORD = "demo"  # noqa: S105 - the certificate lives only as long as the demo


def run_demo(console: Console) -> None:
    """Run the demo and print each step.

    :param console: where to print.
    """
    scope = f"{PROTECTED_RESOURCE}/.default"

    _step(console, 1, "A key pair and a self-signed certificate, made in memory")
    certificate, seconds = _timed(lambda: ClientCertificate.self_signed("certvar demo"))
    pfx = certificate.to_pfx(_PASSWORD)
    _facts(
        console,
        {
            "subject": certificate.subject,
            "thumbprint": certificate.thumbprint,
            "expires": f"{certificate.not_after:%Y-%m-%d}",
            "key": f"{certificate.key_type}-{certificate.key_size}, made in {seconds * 1000:.0f} ms",
            "PFX": f"{len(pfx)} bytes in a variable",
        },
    )

    _step(console, 2, "A local Entra on loopback TLS, with the public half registered")
    entra = EntraEmulator()
    application = entra.add_application(certificate.public_der())
    with entra.serve() as server:
        _facts(
            console,
            {"authority": server.authority, "tenant": application.tenant_id, "client": application.client_id},
        )

        _step(console, 3, "A credential from the PFX bytes, and a token")
        credential, built = _timed(
            lambda: CertVarCredential(
                application.tenant_id,
                application.client_id,
                pfx,
                password=_PASSWORD,
                authority=server.authority,
                disable_instance_discovery=True,
                connection_verify=server.ca_file,
            )
        )
        with credential:
            token, first = _timed(lambda: credential.get_token(scope))
            recorded = entra.requests[-1]
            _claims(console, "assertion, header", recorded.assertion_header)
            _claims(console, "assertion, claims", recorded.assertion_claims)
            _claims(console, "access token, claims", _payload(token.token))

            _step(console, 4, "The same token again, from the cache")
            again, cached = _timed(lambda: credential.get_token(scope))
            _facts(
                console,
                {
                    "credential": f"{built * 1000:8.2f} ms to build, possession of the key proven",
                    "first token": f"{first * 1000:8.2f} ms, {len(entra.requests)} request",
                    "second": f"{cached * 1_000_000:8.2f} µs, {'the same' if again is token else 'another'} token",
                },
            )

            _step(console, 5, "A protected resource, called through azure-core's client")
            _facts(console, _call(server.url, credential, scope, server.ca_file))

            _step(console, 6, "A certificate whose key stays in a local Key Vault, used through Azure's clients")
            _facts(console, _with_key_vault(entra, server, credential))
    console.print("\n[bold green]Done.[/] The private key was never written to disk, and no subscription was needed.")


def _with_key_vault(entra: EntraEmulator, server: EntraServer, reader: CertVarCredential) -> dict[str, str]:
    """Sign in with a certificate whose key does not leave the vault."""
    stored = ClientCertificate.self_signed("certvar demo vault")
    application = entra.add_application(stored.public_der())
    vault = KeyVaultEmulator(entra)
    vault.add_certificate("demo", stored, exportable=False)
    with vault.serve() as vault_server:
        source = KeyVaultCertificate(
            vault_server.url,
            "demo",
            reader,
            # Azure's clients send tokens only to the hosts of Key Vault, and a local vault has another host name.
            verify_challenge_resource=False,
            connection_verify=vault_server.ca_file,
        )
        with CertVarCredential(
            application.tenant_id,
            application.client_id,
            source,
            authority=server.authority,
            disable_instance_discovery=True,
            connection_verify=server.ca_file,
        ) as credential:
            token, seconds = _timed(lambda: credential.get_token(f"{PROTECTED_RESOURCE}/.default"))
    return {
        "certificate": f"{stored.subject}, thumbprint {stored.thumbprint}",
        "vault": ", ".join(request.permission for request in vault.requests if request.permission),
        "token": f"for {_payload(token.token)['appid']}, in {seconds * 1000:.0f} ms",
    }


def _call(url: str, credential: CertVarCredential, scope: str, ca_file: str) -> dict[str, str]:
    """GET the emulator's protected resource with a bearer token and return its answer."""
    policy: BearerTokenCredentialPolicy[Any, Any] = BearerTokenCredentialPolicy(credential, scope)
    client: PipelineClient[Any, Any] = PipelineClient(url, policies=[policy], connection_verify=ca_file)
    with client:
        response = client.send_request(HttpRequest("GET", f"{url}/protected"))
        response.raise_for_status()
        answer = response.json()
    return {"answer": f"HTTP {response.status_code}"} | {str(name): json.dumps(value) for name, value in answer.items()}


def _timed(call: Callable[[], T]) -> tuple[T, float]:
    start = perf_counter()
    value = call()
    return value, perf_counter() - start


def _payload(token: str) -> dict[str, Any]:
    payload = token.split(".")[1]
    claims: dict[str, Any] = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims


def _step(console: Console, number: int, title: str) -> None:
    console.print(f"\n[bold cyan]{number}.[/] [bold]{title}[/]")


def _facts(console: Console, facts: Mapping[str, str]) -> None:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", min_width=12)
    table.add_column(overflow="fold")
    for name, value in facts.items():
        table.add_row(f"   {name}", value)
    console.print(table)


def _claims(console: Console, title: str, claims: Mapping[str, object] | None) -> None:
    console.print(f"   [dim]{title}[/]")
    _facts(console, {f"  {name}": json.dumps(value) for name, value in (claims or {}).items()})
