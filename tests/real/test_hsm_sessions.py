"""The session on a token: shared, lost and opened again, logged in to by a PIN that is never tried twice (SoftHSM)."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pkcs11
import pytest

from azure_certvar_credential import Pkcs11Signer
from azure_certvar_credential.exceptions import (
    CertificateError,
    ConfigurationError,
    CredentialClosedError,
    WrongPasswordError,
)
from azure_certvar_credential.signers.verification import verify
from tests.certificates.secrecy import assert_tells_nothing
from tests.real.softhsm import ORDERS, PIN, ROOT, SPARE, SoftHsm, signer_of


class Asking:
    """Returns the PIN, and counts how often it was asked."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> str:
        self.times += 1
        return PIN


def _closed_behind_its_back(softhsm: SoftHsm, signer: Pkcs11Signer) -> None:
    session = signer._token._session
    assert session is not None
    session.close()


def _reinitialised(softhsm: SoftHsm, signer: Pkcs11Signer) -> None:
    pkcs11.lib(softhsm.module).reinitialize()


def _finalised(softhsm: SoftHsm, signer: Pkcs11Signer) -> None:
    pkcs11.lib(softhsm.module).finalize()


@pytest.mark.parametrize("lose", [_closed_behind_its_back, _reinitialised, _finalised], ids=lambda lose: lose.__name__)
def test_a_lost_session_is_opened_again(
    softhsm: SoftHsm, signer: Pkcs11Signer, lose: Callable[[SoftHsm, Pkcs11Signer], None]
) -> None:
    signer.sign(b"before", "PS256")
    lose(softhsm, signer)

    assert verify(signer.public_key, b"after", signer.sign(b"after", "PS256"), "PS256")


def test_another_user_of_the_module_may_log_in_first_and_log_out_first(softhsm: SoftHsm) -> None:
    # The login is the whole process's: theirs serves the signer, and when it ends, the signer logs in for itself.
    theirs = pkcs11.lib(softhsm.module).get_token(token_label=ORDERS).open(user_pin=PIN)
    with signer_of(softhsm, key_label="app") as signer:
        assert verify(signer.public_key, b"message", signer.sign(b"message", "PS256"), "PS256")
        theirs.close()
        assert verify(signer.public_key, b"message", signer.sign(b"message", "PS256"), "PS256")


def test_a_signer_that_closes_leaves_the_others_logged_in(softhsm: SoftHsm, signer: Pkcs11Signer) -> None:
    asking = Asking()
    other = signer_of(softhsm, key_label="P-256", pin=asking)
    other.close()

    assert verify(signer.public_key, b"message", signer.sign(b"message", "RS256"), "RS256")
    assert asking.times == 0


def test_a_pin_function_is_asked_once_for_each_session(softhsm: SoftHsm) -> None:
    asking = Asking()
    with signer_of(softhsm, token_label=SPARE, pin=asking) as signer:
        for _ in range(3):
            signer.sign(b"message", "ES256")
        assert asking.times == 1
        _closed_behind_its_back(softhsm, signer)
        signer.sign(b"message", "ES256")
        assert asking.times == 2


def test_a_key_that_wants_the_pin_each_time_gets_it(softhsm: SoftHsm) -> None:
    asking = Asking()
    with signer_of(softhsm, key_label="careful", pin=asking) as signer:
        for number in range(3):
            assert verify(signer.public_key, b"message", signer.sign(b"message", "ES256"), "ES256")
            assert asking.times == 2 + number


def test_a_pin_that_was_changed_meanwhile_is_tried_once(softhsm: SoftHsm) -> None:
    asking = Asking()
    with signer_of(softhsm, token_label=SPARE, pin=asking) as signer:
        token = pkcs11.lib(softhsm.module).get_token(token_label=SPARE)
        _closed_behind_its_back(softhsm, signer)
        with token.open(rw=True, user_pin=PIN) as session:
            session.set_pin(PIN, "another pin")
        try:
            for _ in range(5):
                with pytest.raises(WrongPasswordError, match="will not be tried again") as caught:
                    signer.sign(b"message", "ES256")
                assert_tells_nothing(caught.value, [PIN])
        finally:
            with token.open(rw=True, user_pin="another pin") as session:
                session.set_pin("another pin", PIN)
        assert asking.times == 2
        with pytest.raises(WrongPasswordError):
            signer.sign(b"message", "ES256")


def test_a_token_that_is_taken_out_and_put_back(softhsm: SoftHsm) -> None:
    with signer_of(softhsm, token_label=SPARE) as signer:
        library = pkcs11.lib(softhsm.module)
        elsewhere = softhsm.tokens.with_name("taken out")
        softhsm.tokens.rename(elsewhere)
        softhsm.tokens.mkdir()
        try:
            library.reinitialize()
            for _ in range(2):
                with pytest.raises(ConfigurationError, match="no token with the label"):
                    signer.sign(b"message", "ES256")
        finally:
            softhsm.tokens.rmdir()
            elsewhere.rename(softhsm.tokens)
            library.reinitialize()

        assert verify(signer.public_key, b"message", signer.sign(b"message", "ES256"), "ES256")


_FORKING = """
import os, sys, threading
from azure_certvar_credential import Pkcs11Signer
from azure_certvar_credential.signers.verification import verify

signer = Pkcs11Signer(sys.argv[1], token_label="orders", key_label="app", pin=sys.stdin.read())
stop = threading.Event()

def busy():
    while not stop.is_set():
        signer.sign(b"busy", "PS256")

def right(who):
    assert verify(signer.public_key, who, signer.sign(who, "PS256"), "PS256")

right(b"before")
thread = threading.Thread(target=busy)
thread.start()
for number in range(5):
    child = os.fork()
    if child == 0:
        try:
            right(b"child")
            right(b"child again")
            os._exit(0)
        finally:
            os._exit(1)
    assert os.waitpid(child, 0)[1] == 0, number
stop.set()
thread.join()
right(b"parent")
print("everybody signed")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no fork")
def test_a_forked_child_signs_while_the_parent_signs(softhsm: SoftHsm) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", _FORKING, softhsm.module],
        cwd=ROOT,
        input=PIN,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.stdout == "everybody signed\n", done.stderr


_INITIALISED_ELSEWHERE = """
import ctypes, sys
from azure_certvar_credential import Pkcs11Signer

assert ctypes.CDLL(sys.argv[1]).C_Initialize(None) == 0
try:
    Pkcs11Signer(sys.argv[1], token_label="orders", key_label="app", pin="unused")
except ValueError as error:
    print(type(error).__name__, error)
"""


def test_a_module_that_something_else_has_initialised_is_named(softhsm: SoftHsm) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _INITIALISED_ELSEWHERE, softhsm.module],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert done.stdout.startswith("ConfigurationError the PKCS #11 module"), done.stderr
    assert "another part of this process" in done.stdout


def test_a_token_that_fails_twice_is_an_error_of_this_package(
    signer: Pkcs11Signer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # No software token fails on demand; what is replaced is the step after the session.
    tries = []

    def fails(*args: object) -> bytes:
        tries.append(1)
        raise pkcs11.DeviceError

    monkeypatch.setattr(Pkcs11Signer, "_signed", fails)
    with pytest.raises(CertificateError, match="'orders' could not sign with PS256 \\(DeviceError\\)"):
        signer.sign(b"message", "PS256")
    assert len(tries) == 2

    monkeypatch.undo()
    assert verify(signer.public_key, b"message", signer.sign(b"message", "PS256"), "PS256")


def test_a_closed_signer_says_so(softhsm: SoftHsm) -> None:
    signer = signer_of(softhsm, key_label="app")
    signer.close()
    signer.close()

    with pytest.raises(CredentialClosedError, match="closed"):
        signer.sign(b"message", "PS256")
