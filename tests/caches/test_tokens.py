"""Tokens are azure-core's classes in every respect, and are not shown when printed."""

from __future__ import annotations

import logging
import traceback

import pytest
from azure.core.credentials import AccessToken, AccessTokenInfo

from azure_certvar_credential.caches.memory import HiddenAccessToken, HiddenAccessTokenInfo

TOKEN = HiddenAccessToken("secret-token", 1_800_000_000)
INFO = HiddenAccessTokenInfo("secret-token", 1_800_000_000, token_type="Bearer", refresh_on=1_799_999_000)


def test_an_access_token_is_azure_cores_named_tuple() -> None:
    assert isinstance(TOKEN, AccessToken)
    assert isinstance(TOKEN, tuple)
    assert (TOKEN.token, TOKEN.expires_on) == ("secret-token", 1_800_000_000)
    token, expires_on = TOKEN
    assert (token, expires_on) == (TOKEN[0], TOKEN[1]) == tuple(TOKEN)
    assert AccessToken("secret-token", 1_800_000_000) == TOKEN
    assert hash(TOKEN) == hash(AccessToken("secret-token", 1_800_000_000))
    assert TOKEN._replace(expires_on=1).expires_on == 1
    assert TOKEN._fields == ("token", "expires_on")


def test_an_access_token_info_is_azure_cores() -> None:
    assert isinstance(INFO, AccessTokenInfo)
    assert (INFO.token, INFO.expires_on, INFO.token_type, INFO.refresh_on) == (
        "secret-token",
        1_800_000_000,
        "Bearer",
        1_799_999_000,
    )


@pytest.mark.parametrize("token", [TOKEN, INFO])
def test_no_way_of_printing_shows_the_token(token: object, caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("app").warning("got %s and %r", token, [token])
    with pytest.raises(ZeroDivisionError) as caught:
        fails_with(token)
    trace = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    shown = [repr(token), str(token), f"{token}", f"{token!r}", f"{[token]}", str({"a": token}), caplog.text, trace]
    assert not [text for text in shown if "secret-token" in text]
    assert all("1800000000" in text for text in shown)


def fails_with(token: object) -> float:
    return 1 / (token is None)
