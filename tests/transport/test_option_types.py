"""An option that azure-core cannot take is refused by name when a credential is made, not by the first request."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import trustme
from azure.core.pipeline.policies import HeadersPolicy
from azure.core.pipeline.transport import RequestsTransport
from hypothesis import given
from hypothesis import strategies as st

from azure_certvar_credential import CertVarCredential
from azure_certvar_credential._transport.option_types import check_types
from azure_certvar_credential._transport.options import PIPELINE_OPTIONS
from azure_certvar_credential._transport.trust import holds_authorities
from azure_certvar_credential.exceptions import ConfigurationError
from tests.transport.option_values import BAD, GOOD, MALFORMED, cases


def test_every_option_of_the_pipeline_is_in_the_tables_but_those_of_retries() -> None:
    names = {name for name in PIPELINE_OPTIONS if not name.startswith("retry_")}

    assert set(GOOD) == set(BAD) == names


@pytest.mark.parametrize(("name", "value"), cases(GOOD))
def test_what_azure_core_takes_is_taken(name: str, value: Any) -> None:
    check_types({name: value})


@pytest.mark.parametrize("name", GOOD)
def test_none_is_azure_cores_default(name: str) -> None:
    check_types({name: None})


@pytest.mark.parametrize(("name", "value"), cases(BAD))
def test_what_it_does_not_take_is_refused_by_the_options_name(name: str, value: Any) -> None:
    with pytest.raises(ConfigurationError, match=f"^{name} must be "):
        check_types({name: value})


@pytest.mark.parametrize("url", MALFORMED)
def test_a_malformed_proxy_keeps_its_secret(url: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        check_types({"proxies": {"https": url}})
    assert "SEC" not in str(caught.value)
    assert caught.value.__context__ is caught.value.__cause__ is None


def test_policies_that_can_be_read_only_once_are_left_to_the_pipeline() -> None:
    policies = iter([HeadersPolicy()])
    check_types({"policies": policies})
    assert len(list(policies)) == 1


@given(st.sampled_from(sorted(GOOD)), st.text(min_size=12))
def test_no_value_is_repeated(name: str, text: str) -> None:
    for value in (text, [text], {text: text}, {"https": [text]}):
        try:
            check_types({name: value})
        except ConfigurationError as error:
            assert text not in str(error)  # noqa: PT017 - most of these are refused, some are taken


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"proxies": "http://p"}, "proxies must be a dictionary such as"),
        ({"transport": RequestsTransport}, "the class RequestsTransport itself"),
        ({"connection_verify": "/nonexistent.pem"}, "existing PEM file or directory"),
        ({"retry_backoff_factor": 10**400}, "retry_backoff_factor must be a number"),
        ({"additionally_allowed_tenants": 5}, "additionally_allowed_tenants must be a list"),
    ],
)
def test_the_constructor_is_where_it_is_refused(options: dict[str, Any], text: str) -> None:
    with pytest.raises(ConfigurationError, match=text):
        CertVarCredential("contoso.example", "client", lambda: "", **options)


def test_a_file_of_authorities_is_looked_at_again_once_it_has_changed(tmp_path: Path) -> None:
    file, good = tmp_path / "ca.pem", trustme.CA().cert_pem.bytes()
    for content, accepted in ((good, True), (b"none", False), (good, True), (good[:-40], False)):
        file.write_bytes(content)
        for _ in range(2):
            assert holds_authorities(file) is accepted
    file.unlink()
    assert not holds_authorities(file)
