"""What a caller asks for, and the key that keeps answers apart."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_certvar_credential._core.request import TokenRequest, check_options, parse_claims, token_request
from azure_certvar_credential.exceptions import ConfigurationError

SCOPE = "https://storage.azure.com/.default"

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
# Challenges that touch what CAE sets, and challenges that do not.
ACCESS_TOKEN = st.dictionaries(st.sampled_from(["xms_cc", "nbf", "acrs", "polids"]), JSON, max_size=4)
CHALLENGES = st.dictionaries(st.text(max_size=8), JSON, max_size=3).flatmap(
    lambda rest: st.builds(lambda inner: {**rest, "access_token": inner}, ACCESS_TOKEN | JSON) | st.just(rest)
)


def made(*scopes: Any, claims: Any = None, cae: bool = False, tenant: str = "contoso.example") -> TokenRequest:
    return token_request(scopes, tenant_id=tenant, enable_cae=cae, claims=claims)


def test_at_least_one_scope_is_needed() -> None:
    with pytest.raises(ConfigurationError, match="at least one scope, as a positional argument"):
        made()


@pytest.mark.parametrize(
    "scope", ["", " ", "a b", "a\tb", "a\n", "a\u00a0b", "a\x00", "\x7f", "a\u200bb", None, 7, b"abc", ["a"]]
)
def test_a_scope_that_cannot_be_sent_is_refused_by_name(scope: object) -> None:
    with pytest.raises(ConfigurationError, match="pass several scopes as several arguments"):
        made(SCOPE, scope)


@pytest.mark.parametrize("scope", [SCOPE, "api://app/.default", "read", "https://a/b?c=d&e=f", "\u00e9"])
def test_a_scope_is_sent_as_it_is(scope: str) -> None:
    assert made(scope).scopes == (scope,)


@pytest.mark.parametrize("flag", ["false", "true", 1, 0])
def test_cae_is_true_or_false_and_no_text_that_says_so(flag: Any) -> None:
    with pytest.raises(ConfigurationError, match="enable_cae must be True or False"):
        made(SCOPE, cae=flag)


@pytest.mark.parametrize("claims", [None, ""])
def test_no_claims_are_no_parameter_and_cae_alone_is_its_capability(claims: str | None) -> None:
    assert made(SCOPE, claims=claims).claims is None
    assert made(SCOPE, claims=claims).claims_parameter is None
    assert made(SCOPE, claims=claims, cae=True).claims_parameter == '{"access_token":{"xms_cc":{"values":["CP1"]}}}'


@pytest.mark.parametrize(
    "claims",
    [
        *["x", "[]", "1", "null", '"{}"', "{", '{"a":}', " ", 7, {"a": 1}, b"{}", "[" * 100_000],
        *['{"a":NaN}', '{"a":1,"a":2}', '{"a":{"b":1,"b":1}}', '{"a":' * 600 + "1" + "}" * 600],
    ],
)
def test_claims_that_are_no_text_of_a_json_object_are_refused(claims: object) -> None:
    with pytest.raises(ConfigurationError, match="text of a JSON object"):
        made(SCOPE, claims=claims)


@given(CHALLENGES)
def test_a_challenge_alone_is_passed_on_octet_by_octet(challenge: dict[str, Any]) -> None:
    text = json.dumps(challenge, indent=1)
    assert made(SCOPE, claims=text).claims_parameter == text


@given(CHALLENGES)
def test_cae_is_merged_in_depth_and_everything_else_of_the_challenge_stays(challenge: dict[str, Any]) -> None:
    merged = json.loads(made(SCOPE, claims=json.dumps(challenge), cae=True).claims_parameter or "")
    assert merged["access_token"]["xms_cc"]["values"] == ["CP1"]
    expected = json.loads(json.dumps(challenge))
    for name, value in expected.items():
        if name != "access_token":
            assert merged[name] == value
    inner = expected.get("access_token")
    if isinstance(inner, dict):
        assert {k: v for k, v in merged["access_token"].items() if k != "xms_cc"} == {
            k: v for k, v in inner.items() if k != "xms_cc"
        }
        if isinstance(inner.get("xms_cc"), dict):
            assert {**inner["xms_cc"], "values": ["CP1"]} == merged["access_token"]["xms_cc"]
    assert set(merged) == {*expected, "access_token"}


@given(CHALLENGES)
def test_merging_twice_changes_nothing(challenge: dict[str, Any]) -> None:
    once = made(SCOPE, claims=json.dumps(challenge), cae=True).claims_parameter
    assert json.loads(made(SCOPE, claims=once, cae=True).claims_parameter or "") == json.loads(once or "")


def test_parse_claims_gives_the_object() -> None:
    assert parse_claims('{"access_token":{"nbf":{"essential":true}}}') == {"access_token": {"nbf": {"essential": True}}}


REQUESTS = st.tuples(
    st.lists(st.sampled_from(["a", "b", "ab"]), min_size=1, max_size=3).map(tuple),
    st.sampled_from(["a", "b"]),
    st.booleans(),
)


@given(REQUESTS, REQUESTS)
def test_requests_share_a_cache_key_only_if_scopes_tenant_and_cae_are_the_same(
    one: tuple[tuple[str, ...], str, bool], two: tuple[tuple[str, ...], str, bool]
) -> None:
    keys = [token_request(s, tenant_id=t, enable_cae=c, claims=None).key for s, t, c in (one, two)]
    assert (keys[0] == keys[1]) == (one == two)
    assert hash(keys[0]) == hash(one)


def test_a_claims_challenge_has_the_key_of_the_token_that_it_replaces() -> None:
    assert made(SCOPE, claims='{"a":1}').key == made(SCOPE).key
    assert made(SCOPE, claims='{"a":1}') != made(SCOPE)


@pytest.mark.parametrize("name", ["fmi_path", "client_claims", "timeout"])
def test_options_are_azure_cores_alone(name: str) -> None:
    check_options(["claims", "tenant_id", "enable_cae", "of_a_newer_azure_core"])
    with pytest.raises(ConfigurationError, match=rf"write get_token_info\(scope, {name}=\.\.\.\)"):
        check_options(["claims", name])
