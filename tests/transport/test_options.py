"""Keyword options are known by name, and an unknown one says what was meant."""

from __future__ import annotations

import ssl
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import trustme
from azure.core.pipeline.policies import RetryMode

from azure_certvar_credential._core.options import CertificateOptions
from azure_certvar_credential._core.retries import Retry
from azure_certvar_credential._transport.options import PIPELINE_OPTIONS, asked, check_options, retry_settings
from azure_certvar_credential._transport.pipeline import transport_options
from azure_certvar_credential.exceptions import ConfigurationError, UnknownOptionError

OWN = frozenset({"send_certificate_chain", "authority", "password"})


def check(**options: Any) -> None:
    check_options(options, known_options=lambda: OWN)


def test_no_option_at_all_is_fine() -> None:
    check()


@pytest.mark.parametrize("name", sorted(PIPELINE_OPTIONS))
def test_azure_cores_options_are_known_and_none_is_the_default(name: str) -> None:
    check(**{name: None})
    assert retry_settings({name: None}) == Retry()


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("transprot", "transport"),
        ("retry_totals", "retry_total"),
        ("proxy", "proxies"),
        ("connection_timeouts", "connection_timeout"),
        ("send_certificate_chains", "send_certificate_chain"),
        ("Password", "password"),
        ("user-agent", "user_agent"),
    ],
)
def test_a_misspelt_option_is_refused_with_the_one_that_was_meant(given: str, meant: str) -> None:
    with pytest.raises(UnknownOptionError, match=f"'{given}'; did you mean '{meant}'"):
        check(**{given: 1})


def test_an_unknown_option_is_every_error_that_a_caller_may_expect() -> None:
    with pytest.raises(UnknownOptionError, match=r"unknown keyword argument 'zzz'$") as caught:
        check(zzz="a value that is not repeated")
    assert isinstance(caught.value, TypeError)
    assert isinstance(caught.value, ConfigurationError)
    assert isinstance(caught.value, ValueError)
    assert "a value" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("certificate_path", "read_bytes()"),
        ("cache_persistence_options", "token_cache=SQLiteTokenCache()"),
        ("_cache", "MsalCertVarCredential"),
        ("permit_redirects", "never followed"),
        ("redirect_max", "never followed"),
        ("authority_host", "the name is authority"),
        ("tenant", "the name is tenant_id"),
        ("client_credential", "give the certificate with its private key"),
        ("private_key", "give the certificate with its private key"),
        ("thumbprint", "it is computed"),
        ("passphrase", "the name is password"),
        ("instance_discovery", "disable_instance_discovery=True"),
        ("validate_authority", "disable_instance_discovery=True"),
        ("client_capabilities", "enable_cae=True"),
        ("app_name", "user_agent"),
        ("verify", "connection_verify"),
        ("cert", "connection_cert"),
        ("http_client", "MsalCertVarCredential"),
        ("http_cache", "nothing but tokens"),
        ("enable_pii_log", "no token"),
        ("exclude_scopes", "sent as they are"),
    ],
)
def test_an_option_of_a_peer_that_cannot_work_here_says_what_does(name: str, remedy: str) -> None:
    with pytest.raises(UnknownOptionError, match=f"^{name} is not an option here") as caught:
        check(**{name: "x"})
    assert remedy in str(caught.value)


# Every keyword of azure-identity's CertificateCredential and of the pipeline under it that is no option here.
ASKS_NOTHING: dict[str, list[Any]] = {
    "certificate_path": [None, ""],
    "cache_persistence_options": [None],
    "_cache": [None],
    "_cae_cache": [None],
    "cache": [None],
    "cae_cache": [None],
    "enable_support_logging": [None, False],
    "permit_redirects": [None, False],
    "redirect_max": [None, 0],
    "redirect_remove_headers": [None, []],
    "redirect_on_status_codes": [None, []],
    "retry_on_status_codes": [None, []],
    "retry_policy_class": [None],
    "base_user_agent": [None],
    "sdk_moniker": [None],
    "session": [None],
    "session_owner": [None, True],
    "loop": [None],
    "verify": [None, True],
    "validate_authority": [None, True],
}


@pytest.mark.parametrize("name", ASKS_NOTHING)
def test_an_option_of_a_peer_that_asks_for_nothing_is_left_out(name: str) -> None:
    for value in ASKS_NOTHING[name]:
        assert asked({name: value, "retry_total": 1}) == {"retry_total": 1}


@pytest.mark.parametrize("name", ASKS_NOTHING)
def test_the_same_option_with_another_value_is_refused_with_what_to_write(name: str) -> None:
    for value in ("x", 1, [5]):
        with pytest.raises(UnknownOptionError, match=f"^{name} is not an option here: "):
            check(**asked({name: value}))


def test_an_unknown_option_is_refused_whatever_its_value() -> None:
    with pytest.raises(UnknownOptionError):
        check(**asked({"zzz": None}))


def test_a_client_certificate_beside_an_ssl_context_would_have_no_effect() -> None:
    with TemporaryDirectory() as folder:
        path = f"{folder}/client.pem"
        trustme.CA().issue_cert("client.example").private_key_and_cert_chain_pem.write_to_path(path)
        with pytest.raises(ConfigurationError, match="load it into the context"):
            check(connection_verify=ssl.create_default_context(), connection_cert=path)


NUMBERS = [
    "retry_total",
    "retry_status",
    "retry_read",
    "retry_connect",
    "retry_backoff_factor",
    "retry_backoff_max",
]


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("value", ["3", True, -1, -0.1, [], float("nan"), float("inf"), 10**10, 10**400])
def test_a_retry_option_that_is_no_finite_number_is_refused(name: str, value: object) -> None:
    with pytest.raises(ConfigurationError, match=f"{name} must be a number"):
        check(**{name: value})


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("value", [0, 1, 2.5, 10**6])
def test_a_retry_option_is_a_number_of_zero_or_more(name: str, value: float) -> None:
    check(**{name: value})


def test_retry_settings_are_azure_cores_by_default() -> None:
    assert retry_settings({}) == Retry(3, 3, 3, 3, 0.8, 120.0, exponential=True, timeout=30.0)


def test_retry_settings_take_azure_cores_names() -> None:
    assert retry_settings(
        {
            "retry_total": 9,
            "retry_status": 8,
            "retry_read": 7,
            "retry_connect": 6,
            "retry_backoff_factor": 2,
            "retry_backoff_max": 30,
            "retry_mode": "fixed",
            "timeout": 20,
        }
    ) == Retry(9, 8, 7, 6, 2.0, 30.0, exponential=False, timeout=20.0)


@pytest.mark.parametrize(
    ("mode", "exponential"),
    [("exponential", True), (RetryMode.Exponential, True), ("fixed", False), (RetryMode.Fixed, False)],
)
def test_a_retry_mode_is_a_name_or_azure_cores_enumeration(mode: str, exponential: bool) -> None:
    assert retry_settings({"retry_mode": mode}).exponential is exponential


@pytest.mark.parametrize("mode", ["linear", "", 1, []])
def test_another_retry_mode_is_refused(mode: object) -> None:
    with pytest.raises(ConfigurationError, match="retry_mode must be 'exponential' or 'fixed'"):
        retry_settings({"retry_mode": mode})


def test_the_constructors_own_names_are_not_the_pipelines() -> None:
    assert not CertificateOptions.names() & PIPELINE_OPTIONS


def test_time_outs_suit_a_token_endpoint_unless_others_are_given() -> None:
    assert transport_options({}) == {"connection_timeout": 5, "read_timeout": 30}
    assert transport_options({"read_timeout": 5, "proxies": {}, "connection_data_block_size": None}) == {
        "connection_timeout": 5,
        "read_timeout": 5,
    }
