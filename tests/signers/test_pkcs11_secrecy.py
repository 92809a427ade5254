"""A module that quotes the PIN in its own errors: no error of the signer, and nothing behind it, shows it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pkcs11
import pytest

from azure_certvar_credential import Pkcs11Signer
from azure_certvar_credential.exceptions import CertificateError, WrongPasswordError
from azure_certvar_credential.signers._cryptoki import module
from tests.certificates.secrecy import assert_tells_nothing

PIN = "pin-7391-of-the-token"


class _Quoting:
    """A module whose token raises an error on login.

    :param error: makes the error of the PIN.
    """

    def __init__(self, error: Callable[[str], Exception]) -> None:
        self._error = error

    def get_tokens(self) -> Iterator[Any]:
        yield SimpleNamespace(label="token", flags=pkcs11.TokenFlag.LOGIN_REQUIRED, open=self._open)

    def _open(self, user_pin: str) -> Any:
        raise self._error(user_pin)


class _VendorError(Exception):
    """What a wrapper of a vendor may raise."""


ERRORS: dict[str, Callable[[str], Exception]] = {
    "general error": lambda pin: pkcs11.GeneralError(f"C_Login({pin!r}) failed"),
    "function failed": lambda pin: pkcs11.FunctionFailed("C_Login", pin),
    "vendor's error": lambda pin: _VendorError(f"smart card refused user=app pin={pin}"),
    "error that holds it": lambda pin: _VendorError("smart card refused", {"pin": pin}),
    "encoded": lambda pin: _VendorError(f"POST /login?pin={pin.replace('-', '%2D')}&x={pin}"),
    "bytes": lambda pin: ValueError(f"bad value {pin.encode()!r}"),
    "key error": KeyError,
}


@pytest.mark.parametrize("given", ["str", "function"])
@pytest.mark.parametrize("name", ERRORS)
def test_no_error_of_the_module_shows_the_pin(name: str, given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_load", lambda _: _Quoting(ERRORS[name]))
    monkeypatch.setattr(module, "_modules", {})

    with pytest.raises(CertificateError, match=r"the token 'token' could not show its private keys") as caught:
        Pkcs11Signer(f"quoting-{name}.so", token_label="token", pin=PIN if given == "str" else lambda: PIN)

    assert_tells_nothing(caught.value, [PIN])


def test_what_a_module_says_without_the_pin_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_load", lambda _: _Quoting(lambda _: pkcs11.DeviceError("slot 3 is asleep")))
    monkeypatch.setattr(module, "_modules", {})

    with pytest.raises(CertificateError, match="slot 3 is asleep") as caught:
        Pkcs11Signer("asleep.so", token_label="token", pin=PIN)

    assert isinstance(caught.value.__cause__, pkcs11.DeviceError)


def test_a_refused_pin_is_named_without_its_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_load", lambda _: _Quoting(pkcs11.PinIncorrect))
    monkeypatch.setattr(module, "_modules", {})

    with pytest.raises(WrongPasswordError) as caught:
        Pkcs11Signer("refusing.so", token_label="token", pin=PIN)

    assert_tells_nothing(caught.value, [PIN])
