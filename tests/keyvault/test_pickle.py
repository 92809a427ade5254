"""Sources and signers are pickled if nothing that they hold can be a secret, and copied as themselves."""

from __future__ import annotations

import copy
import enum
import pickle
import ssl
from typing import Any

import pytest
from azure.core.pipeline.policies import HeadersPolicy

from azure_certvar_credential import CertVarCredential, ClientCertificate, aio
from azure_certvar_credential.keyvault import KeyVaultSigner
from azure_certvar_credential.keyvault.aio import KeyVaultSigner as AsyncKeyVaultSigner
from tests.keyvault.conftest import Scene
from tests.reprs import without_address
from tests.testing.key_vault.kit import pair


def importable() -> ClientCertificate:
    return pair("bootstrap")


def test_a_source_is_pickled_with_a_credential_of_this_package(scene: Scene) -> None:
    cls = CertVarCredential if scene.kind == "sync" else aio.CertVarCredential
    source: Any = scene.source(credential=cls("contoso.com", "app-id", importable), transport=None, version="1")

    data = pickle.dumps(cls("contoso.com", "app-id", source))

    assert b"PRIVATE" not in data
    assert b"KeyVaultCertificate" in data
    assert repr(pickle.loads(data)).startswith("<")  # noqa: S301 - made here
    assert without_address(pickle.loads(pickle.dumps(source))) == without_address(source)  # noqa: S301 - made here
    assert scene.vault.vault_url in repr(source)


class Foreign:
    """Pickled with whatever it holds, as azure-identity's ``ClientSecretCredential`` is."""

    def __init__(self) -> None:
        self.secret = "hunter2"

    def get_token(self) -> None: ...

    async def __aexit__(self, *_: object) -> None: ...

    def __exit__(self, *_: object) -> None: ...


class Harmless(Foreign):
    holds_no_secret = True


def test_a_source_with_a_credential_that_may_hold_a_secret_is_not_pickled(scene: Scene) -> None:
    version = scene.vault.add_certificate("app", pair())
    key_id = f"{scene.vault.vault_url}/keys/app/{version}"
    signer: Any = KeyVaultSigner if scene.kind == "sync" else AsyncKeyVaultSigner
    source: Any = scene.source(credential=Foreign())
    for thing in (source, signer(key_id, pair().leaf, Foreign())):
        with pytest.raises(TypeError, match="with a Foreign is not pickled") as caught:
            pickle.dumps(thing)
        assert "hunter2" not in str(caught.value)
        assert copy.copy(thing) is thing
        assert copy.deepcopy(thing) is thing
    with pytest.raises(TypeError, match="password in proxies"):
        pickle.dumps(
            scene.source(credential=Harmless(), transport=None, proxies={"https": "http://user:hunter2@proxy"})
        )


def test_a_class_that_says_that_it_holds_no_secret_is_pickled(scene: Scene) -> None:
    source: Any = scene.source(credential=Harmless(), transport=None)

    assert without_address(pickle.loads(pickle.dumps(source))) == without_address(source)  # noqa: S301 - made here


def signer_of(scene: Scene, **options: Any) -> Any:
    cls: Any = KeyVaultSigner if scene.kind == "sync" else AsyncKeyVaultSigner
    return cls(f"{scene.vault.vault_url}/keys/app/0123", pair().leaf, Harmless(), **options)


def test_a_signer_is_pickled_with_its_public_key(scene: Scene) -> None:
    signer = signer_of(scene)

    again = pickle.loads(pickle.dumps(signer))  # noqa: S301 - made here

    assert (type(again), again.key_id, again.public_key) == (type(signer), signer.key_id, signer.public_key)


class ApiVersion(str, enum.Enum):
    V7_4 = "7.4"


HARMLESS: dict[str, dict[str, Any]] = {
    "retries": {"retry_total": 1, "retry_mode": "fixed"},
    "times": {"timeout": 3, "read_timeout": 1.5},
    "a version of the API": {"api_version": ApiVersion.V7_4},
    "a proxy": {"proxies": {"https": "http://proxy.example:3128"}},
    "a flag": {"verify_challenge_resource": False},
}

SECRETIVE: dict[str, dict[str, Any]] = {
    "a policy": {"per_call_policies": [HeadersPolicy({"x-key": "hunter2"})]},
    "a policy alone": {"per_call_policies": HeadersPolicy({"x-key": "hunter2"})},
    "a hook": {"raw_request_hook": lambda _request: "hunter2"},
    "a TLS context": {"connection_verify": ssl.create_default_context()},
    "headers": {"headers": {"x-key": "hunter2"}},
    "a proxy with a password": {"proxies": {"https": "http://user:hunter2@proxy"}},
    "a dictionary of its own kind": {"tracing_attributes": type("Odd", (dict,), {})()},
}


@pytest.mark.parametrize("options", HARMLESS.values(), ids=HARMLESS.keys())
def test_plain_options_are_pickled(scene: Scene, options: dict[str, Any]) -> None:
    for thing in (scene.source(credential=Harmless(), transport=None, **options), signer_of(scene, **options)):
        again = pickle.loads(pickle.dumps(thing))  # noqa: S301 - made here
        assert vars(again)["_access"].options == vars(thing)["_access"].options


@pytest.mark.parametrize("options", SECRETIVE.values(), ids=SECRETIVE.keys())
def test_what_may_be_secret_is_not_pickled(scene: Scene, options: dict[str, Any]) -> None:
    for thing in (scene.source(credential=Harmless(), transport=None, **options), signer_of(scene, **options)):
        with pytest.raises(TypeError, match=f"with.*{next(iter(options))} is not pickled") as caught:
            pickle.dumps(thing)
        assert "hunter2" not in str(caught.value)


def test_a_transport_is_not_pickled(scene: Scene) -> None:
    with pytest.raises(TypeError, match="with transport is not pickled"):
        pickle.dumps(scene.source(credential=Harmless()))
