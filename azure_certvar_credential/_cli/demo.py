"""Runs ``certvar demo``: every step of signing in, from end to end, against the local Entra."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from time import perf_counter
from typing import Any, TypeVar

from azure.core import PipelineClient
from azure.core.pipeline.policies import BearerTokenCredentialPolicy
from azure.core.rest import HttpRequest
from rich.console import Console

from azure_certvar_credential._cli.output import facts
from azure_certvar_credential._cli.tokens import claims_of
from azure_certvar_credential._credential import CertVarCredential
from azure_certvar_credential.certificates import ClientCertificate
from azure_certvar_credential.keyvault import KeyVaultCertificate
from azure_certvar_credential.testing import PROTECTED_RESOURCE, EntraEmulator, EntraServer, KeyVaultEmulator

T = TypeVar("T")

_PASSWORD = "demo"  # noqa: S105 - the certificate lives only as long as the demo


def run_demo(console: Console, pause: Callable[[], object] = lambda: None) -> None:
    """Run the demo and print each step.

    :param console: where to print.
    :param pause: called before each step but the first.
    """
    scope = f"{PROTECTED_RESOURCE}/.default"

    def step(number: int, title: str) -> None:
        if number > 1:
            pause()
        console.print(f"\n[bold cyan]{number}.[/] [bold]{title}[/]")

    def tell(rows: Mapping[str, str]) -> None:
        facts(console, rows, indent=3)

    step(1, "A key pair and a self-signed certificate, made in memory")
    certificate, seconds = _timed(lambda: ClientCertificate.self_signed("certvar demo"))
    pfx = certificate.to_pfx(_PASSWORD)
    tell(
        {
            "certificate": f"{certificate.subject}, until {certificate.not_after:%Y-%m-%d}",
            "thumbprint": certificate.thumbprint,
            "key": f"{certificate.key_type}-{certificate.key_size}, made in {seconds * 1000:.0f} ms",
            "PFX": f"{len(pfx)} bytes in a variable",
        },
    )

    step(2, "A local Entra on loopback TLS, with the public half registered")
    entra = EntraEmulator()
    application = entra.add_application(certificate.public_der())
    with entra.serve() as server:
        tell(
            {"authority": server.authority, "tenant": application.tenant_id, "client": application.client_id},
        )

        step(3, "A credential from the PFX bytes, and a token")
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
            recorded, claims = entra.requests[-1], claims_of(token.token)
            tell(
                {
                    "assertion": _chosen(recorded.assertion_header, "alg", "x5t#S256"),
                    "its claims": _chosen(recorded.assertion_claims, "iss", "jti"),
                    "token": _chosen(claims, "iss", "appid"),
                },
            )
            console.print("   [dim]certvar assertion shows how it is made, step by step[/]")

            step(4, "The same token again, from the cache")
            again, cached = _timed(lambda: credential.get_token(scope))
            tell(
                {
                    "credential": f"{built * 1000:8.2f} ms to build, possession of the key proven",
                    "first token": f"{first * 1000:8.2f} ms, {len(entra.requests)} request",
                    "second": f"{cached * 1_000_000:8.2f} µs, {'the same' if again is token else 'another'} token",
                },
            )

            step(5, "A protected resource, called through azure-core's client")
            tell(_call(server.url, credential, scope, server.ca_file))

            step(6, "A certificate whose key stays in a local Key Vault")
            tell(_with_key_vault(entra, server, credential))
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
        "token": f"for {claims_of(token.token)['appid']}, in {seconds * 1000:.0f} ms",
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


def _chosen(claims: Mapping[str, object] | None, *names: str) -> str:
    return "\n".join(f"{name} {json.dumps((claims or {}).get(name))}" for name in names)
