"""Translates return values of Cryptoki (PKCS #11 v3.1 section 5.1) into this package's errors."""

from __future__ import annotations

from collections.abc import Collection

import pkcs11

from azure_certvar_credential._secrecy.known_secrets import without_known
from azure_certvar_credential.exceptions import (
    CertificateError,
    ConfigurationError,
    PasswordError,
    WrongPasswordError,
)

# The session or its objects are gone, or the device failed; a new session may succeed.
_LOST = (
    pkcs11.DeviceError,
    pkcs11.DeviceRemoved,
    pkcs11.FunctionFailed,
    pkcs11.GeneralError,
    pkcs11.KeyHandleInvalid,
    pkcs11.ObjectHandleInvalid,
    pkcs11.OperationActive,
    pkcs11.OperationNotInitialized,
    pkcs11.SessionClosed,
    pkcs11.SessionHandleInvalid,
    pkcs11.SlotIDInvalid,
    pkcs11.TokenNotPresent,
    pkcs11.TokenNotRecognised,
    # Another part of the process logged out: the login belongs to the process, not to a session (section 2.4).
    pkcs11.UserNotLoggedIn,
)

_WRONG_PIN = (pkcs11.PinIncorrect, pkcs11.PinInvalid, pkcs11.PinLenRange)

_UNUSABLE_PIN = {
    pkcs11.PinLocked: "locked after too many wrong PINs; the security officer unlocks it with the SO PIN",
    pkcs11.PinExpired: "expired; set a new one with the token's own tool",
    pkcs11.UserPinNotInitialized: "not set yet; set it with the token's own tool",
}


def is_lost(error: pkcs11.PKCS11Error) -> bool:
    """Return whether the same operation may succeed in a new session."""
    return isinstance(error, _LOST) or is_uninitialised(error)


def is_uninitialised(error: pkcs11.PKCS11Error) -> bool:
    """Return whether the module must be initialised again: it was finalised, or the process was forked."""
    # CKR_CRYPTOKI_NOT_INITIALIZED has no class of its own in python-pkcs11.
    return type(error) is pkcs11.PKCS11Error and "(not initialized)" in str(error)


def explained(error: Exception, token: str, doing: str, pins: Collection[str] = ()) -> Exception:
    """Return this package's error for an error of python-pkcs11, or of the module behind it.

    :param token: how the message names the token.
    :param doing: the failed operation, such as ``sign``.
    :param pins: what the message must not quote.
    """
    if isinstance(error, _WRONG_PIN):
        return WrongPasswordError(
            f"{token} rejects the PIN. It was tried once and will not be tried again, because a few wrong PINs lock a "
            "token; create a new Pkcs11Signer with the right PIN"
        )
    for kind, state in _UNUSABLE_PIN.items():
        if isinstance(error, kind):
            return PasswordError(f"the user PIN of {token} is {state}")
    if isinstance(error, pkcs11.MechanismInvalid | pkcs11.MechanismParamInvalid):
        return ConfigurationError(f"{token} cannot {doing}: it rejects the mechanism ({type(error).__name__})")
    detail = f": {without_known(str(error), pins)}" if str(error) else ""
    return CertificateError(f"{token} could not {doing} ({type(error).__name__}{detail})")
