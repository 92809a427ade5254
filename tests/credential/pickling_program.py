"""A program, as a notebook or a script is one: its functions and classes are of ``__main__``, and one returns the key.

``python pickling_program.py dump {pickler}`` writes the pickle of each object in base64, or the error that it raised,
as JSON; ``run {runner}`` reads a credential's certificate in worker processes and prints its subject.
"""

from __future__ import annotations

import json
import multiprocessing
import sys
from base64 import b64encode
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from importlib import import_module
from typing import Any

from azure_certvar_credential import CertVarCredential, ClientCertificate, FederatedCredential, aio
from azure_certvar_credential.certificates.sources import CertificateSource, EnvironmentCertificate
from azure_certvar_credential.keyvault import KeyVaultCertificate, KeyVaultSigner

CERTIFICATE = ClientCertificate.self_signed("in-a-script")
PEM = CERTIFICATE.to_pem()
TENANT, CLIENT = "11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222"


def current_certificate() -> str:
    return PEM


class Declared:
    holds_no_secret = True

    def __init__(self, read: Callable[[], str] = current_certificate) -> None:
        self.read = read

    def __call__(self) -> str:
        return PEM

    def get_token(self) -> str:
        return PEM


class Mine(CertVarCredential):
    def content(self) -> str:
        return PEM


VAULT = "https://app.vault.azure.net"
# All of this refers to PEM; the other objects that a pickle may hold are in test_pickle.py.
REFERRING: dict[str, Callable[[], object]] = {
    "function": lambda: CertVarCredential(TENANT, CLIENT, current_certificate),
    "function, aio": lambda: aio.CertVarCredential(TENANT, CLIENT, current_certificate),
    "class": lambda: CertVarCredential(TENANT, CLIENT, Declared),  # type: ignore[arg-type]
    "instance": lambda: CertVarCredential(TENANT, CLIENT, Declared()),
    "source around a function": lambda: CertVarCredential(TENANT, CLIENT, CertificateSource(current_certificate)),
    "source alone": lambda: CertificateSource(current_certificate),
    "subclass": lambda: Mine(TENANT, CLIENT, EnvironmentCertificate("APP")),
    "vault's source": lambda: KeyVaultCertificate(VAULT, "app", Declared()),  # type: ignore[arg-type]
    "vault's signer": lambda: KeyVaultSigner(f"{VAULT}/keys/app/1", CERTIFICATE.leaf, Declared()),  # type: ignore[arg-type]
    "shared view": lambda: CertVarCredential(TENANT, CLIENT, current_certificate).shared(),
}
REFUSED: dict[str, Callable[[], object]] = {
    "lambda": lambda: CertVarCredential(TENANT, CLIENT, lambda: PEM),
    "instance with a lambda": lambda: CertVarCredential(TENANT, CLIENT, Declared(lambda: PEM)),
    "federated": lambda: FederatedCredential(TENANT, CLIENT, current_certificate),
}


def subject(credential: CertVarCredential) -> str:
    source: Any = credential._parts.certificates.source
    return ClientCertificate.load(source()).subject


def in_a_spawned_process(credential: CertVarCredential) -> str:
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(subject, credential).result()


def in_dask(credential: CertVarCredential) -> str:
    from dask.delayed import delayed

    found: str = delayed(subject)(credential).compute(scheduler="processes", num_workers=1)
    return found


def in_joblib(credential: CertVarCredential) -> str:
    import joblib

    # Two, or joblib would stay in this process.
    [first, _] = joblib.Parallel(n_jobs=2)([joblib.delayed(subject)(credential)] * 2)
    return str(first)


RUNNERS = {"spawn": in_a_spawned_process, "dask": in_dask, "joblib": in_joblib}


def dumped(pickler: Any, thing: object) -> str:
    try:
        return b64encode(pickler.dumps(thing)).decode()
    except TypeError as error:
        return f"TypeError: {error}"


def main(command: str, by: str) -> None:
    if command == "run":
        print(RUNNERS[by](CertVarCredential(TENANT, CLIENT, current_certificate)))
    else:
        pickler = import_module(by)
        print(json.dumps({what: dumped(pickler, make()) for what, make in (REFERRING | REFUSED).items()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
