"""Wrong arguments are refused at once, before any call to the vault."""

from __future__ import annotations

import inspect
import subprocess
import sys
from typing import Any, get_type_hints

import pytest

from azure_certvar_credential import CertVarCredential, aio, keyvault
from azure_certvar_credential.exceptions import ConfigurationError, UnknownOptionError
from azure_certvar_credential.keyvault import aio as keyvault_aio
from tests.testing.key_vault.kit import pair

URL = "https://contoso.vault.azure.net"
KEY_ID = f"{URL}/keys/app/0123"


def bootstrap(module: Any) -> Any:
    credential = CertVarCredential if module is keyvault else aio.CertVarCredential
    return credential("contoso.com", "app", pair("bootstrap"))


@pytest.fixture(params=[keyvault, keyvault_aio], ids=["sync", "aio"])
def module(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.mark.parametrize(
    "url",
    [
        "http://contoso.vault.azure.net",
        "contoso.vault.azure.net",
        "contoso",
        "",
        "https://",
        "https://[",
        "https://contoso.vault.azure.net:port",
        "https://user@contoso.vault.azure.net",
        "https://example.com\\.vault.azure.net",
        "https://example.com%2f.vault.azure.net",
        "https://contoso\u3002vault.azure.net",
        "https://contoso.vault.azure.net?x=1",
        f"{URL}/certificates/app",
        None,
        7,
    ],
)
def test_what_is_no_url_of_a_vault_is_named(module: Any, url: object) -> None:
    with pytest.raises(ConfigurationError, match=r"contoso\.vault\.azure\.net|URL"):
        module.KeyVaultCertificate(url, "app", bootstrap(module))


def test_a_managed_hsm_holds_no_certificates(module: Any) -> None:
    with pytest.raises(ConfigurationError, match="KeyVaultSigner"):
        module.KeyVaultCertificate("https://contoso.managedhsm.azure.net", "app", bootstrap(module))


@pytest.mark.parametrize("name", ["", "a/b", "a b", "a" * 128, None, 7])
def test_what_is_no_name_is_named(module: Any, name: object) -> None:
    with pytest.raises(ConfigurationError, match="name is 1 to 127"):
        module.KeyVaultCertificate(URL, name, bootstrap(module))


@pytest.mark.parametrize("version", ["", "a/b", "latest version", 7])
def test_what_is_no_version_is_named(module: Any, version: object) -> None:
    with pytest.raises(ConfigurationError, match="version is letters and digits"):
        module.KeyVaultCertificate(URL, "app", bootstrap(module), version=version)


@pytest.mark.parametrize("key_id", [URL, f"{URL}/keys/app", f"{URL}/secrets/app/0123", f"{KEY_ID}/sign", "app", None])
def test_what_is_no_key_with_its_version_is_named(module: Any, key_id: object) -> None:
    with pytest.raises(ConfigurationError, match=r"keys/NAME/VERSION|URL"):
        module.KeyVaultSigner(key_id, pair().leaf, bootstrap(module))


@pytest.mark.parametrize("credential", [None, "secret", object()])
def test_what_is_no_credential_is_named_by_its_type(module: Any, credential: object) -> None:
    with pytest.raises(ConfigurationError, match=type(credential).__name__) as caught:
        module.KeyVaultCertificate(URL, "app", credential)
    assert "secret" not in str(caught.value)


def test_a_credential_of_the_other_kind_is_refused_with_where_to_go() -> None:
    with pytest.raises(ConfigurationError, match=r"keyvault\.aio"):
        keyvault.KeyVaultCertificate(URL, "app", bootstrap(keyvault_aio))
    with pytest.raises(ConfigurationError, match="synchronous"):
        keyvault_aio.KeyVaultCertificate(URL, "app", bootstrap(keyvault))


def test_an_unknown_option_is_an_error(module: Any) -> None:
    with pytest.raises(UnknownOptionError, match="prefer_remote"):
        module.KeyVaultCertificate(URL, "app", bootstrap(module), prefer_remot=True)
    with pytest.raises(UnknownOptionError, match="private key"):
        module.KeyVaultCertificate(URL, "app", bootstrap(module), logging_enable=True)
    with pytest.raises(ConfigurationError, match="max_age"):
        module.KeyVaultCertificate(URL, "app", bootstrap(module), max_age=0)


def test_max_age_is_the_sources(module: Any) -> None:
    assert module.KeyVaultCertificate(URL, "app", bootstrap(module)).max_age == 3600
    assert module.KeyVaultCertificate(URL, "app", bootstrap(module), max_age=60).max_age == 60


def test_a_source_is_made_for_the_credential_of_its_kind() -> None:
    source: Any = keyvault_aio.KeyVaultCertificate(URL, "app", bootstrap(keyvault_aio))
    with pytest.raises(ConfigurationError, match="asynchronous"):
        CertVarCredential("contoso.com", "app", source)


@pytest.mark.parametrize("missing", ["azure.keyvault.secrets", "azure.keyvault.keys.crypto"])
def test_a_missing_extra_is_named_when_the_source_is_made(missing: str) -> None:
    code = (
        f"import sys; sys.modules[{missing!r}] = None\n"
        "from azure_certvar_credential.keyvault import KeyVaultCertificate\n"
        "class Credential:\n    def get_token(self): ...\n"
        f"try:\n    KeyVaultCertificate({URL!r}, 'app', Credential())\nexcept ImportError as error:\n    print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert "pip install 'azure-certvar-credential[keyvault]'" in done.stdout


def test_importing_the_room_loads_none_of_azures_packages() -> None:
    code = (
        "import sys, azure_certvar_credential.keyvault, azure_certvar_credential.keyvault.aio; "
        "print([name for name in sys.modules if name.startswith(('azure.keyvault', 'aiohttp', 'requests'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "cls", [getattr(module, name) for module in (keyvault, keyvault_aio) for name in keyvault.__all__]
)
def test_every_annotation_can_be_resolved(cls: type[Any]) -> None:
    call = "sign" if cls.__name__ == "KeyVaultSigner" else "__call__"
    assert get_type_hints(getattr(cls, call))["return"]
    assert get_type_hints(cls.__init__)["credential"]
    assert str(inspect.signature(cls, eval_str=True))


def test_both_kinds_take_the_same_arguments_and_document_each() -> None:
    for name in keyvault.__all__:
        one, other = getattr(keyvault, name), getattr(keyvault_aio, name)
        parameters = list(inspect.signature(one).parameters)
        assert list(inspect.signature(other).parameters) == parameters
        for parameter in parameters:
            assert f":param {parameter}:" in str(one.__doc__)
            assert f":param {parameter}:" in str(other.__doc__)
