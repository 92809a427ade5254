"""A program of ``test_no_pss.py``: signs in with a token that cannot do PSS, and prints what the local Entra saw."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from typing import Any

from azure_certvar_credential import CertVarCredential, ClientCertificate
from azure_certvar_credential.aio import CertVarCredential as AsyncCertVarCredential
from azure_certvar_credential.exceptions import ConfigurationError
from azure_certvar_credential.testing import EntraEmulator
from tests.real.softhsm import SoftHsm, certificate_for, signer_of


def signed_in(certificate: ClientCertificate, kind: str, **options: Any) -> dict[str, Any]:
    """Get three tokens, and return the headers of their assertions, or why there is none."""
    entra = EntraEmulator()
    application = entra.add_application(certificate)
    ids = application.tenant_id, application.client_id

    async def get() -> None:
        credential = AsyncCertVarCredential(*ids, certificate, transport=entra.async_transport(), **options)
        async with credential:
            for number in range(3):
                await credential.get_token(f"api://orders-{number}/.default")

    refused = None
    try:
        if kind == "aio":
            asyncio.run(get())
        else:
            with CertVarCredential(*ids, certificate, transport=entra.transport(), **options) as credential:
                for number in range(3):
                    credential.get_token(f"api://orders-{number}/.default")
    except ConfigurationError as error:
        refused = str(error)
    headers = [
        {name: value for name, value in (entry.assertion_header or {}).items() if name != "x5c"}
        for entry in entra.requests
    ]
    return {"headers": headers, "refused": refused}


def main(module: str) -> None:
    """Sign in with both credentials, with and without a chosen algorithm."""
    logged: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: logged.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger("azure_certvar_credential").addHandler(handler)
    seen: dict[str, Any] = {}
    with signer_of(SoftHsm(module, None, {}), key_label="app") as signer:  # type: ignore[arg-type] # no directory here
        certificate = ClientCertificate(certificate_for(signer.public_key), signer)
        for kind in ("sync", "aio"):
            seen[kind] = signed_in(certificate, kind)
            seen[kind]["logged"], logged[:] = list(logged), []
            seen[f"{kind}, chosen"] = signed_in(certificate, kind, algorithm="PS256")
        seen["x5t#S256"] = certificate.x5t_s256
    print(json.dumps(seen))


if __name__ == "__main__":
    main(sys.argv[1])
