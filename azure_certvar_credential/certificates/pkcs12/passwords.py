"""Passwords of encrypted keys and PFX files: one form for all of them, and never a value in a message."""

from __future__ import annotations

from azure_certvar_credential.exceptions import PasswordError, PasswordRequiredError, WrongPasswordError

# OpenSSL's own limit for PEM passwords (PEM_BUFSIZE), which older releases of cryptography enforce with a bare
# ValueError.
_MAX_LENGTH = 1023


def password_octets(password: object) -> bytes | None:
    """Return a password as bytes.

    :param password: None, ``str`` (taken as UTF-8) or bytes. Octets of an environment variable that are not UTF-8,
        which Python keeps as lone surrogates (PEP 383), become those octets again.
    :raises PasswordError: it is of another type, too long, has a NUL, or cannot be encoded.
    """
    if password is None:
        return None
    if isinstance(password, str):
        octets = _encoded(password)
    elif isinstance(password, (bytes, bytearray)):
        octets = bytes(password)
    else:
        raise PasswordError(f"the password is of type {type(password).__name__}; give str, bytes or None")
    if len(octets) > _MAX_LENGTH:
        raise PasswordError(f"the password is {len(octets)} bytes long; OpenSSL takes at most {_MAX_LENGTH}")
    # OpenSSL's PKCS #12 functions take a C string: what follows the NUL would silently not be part of the password.
    if b"\x00" in octets:
        raise PasswordError("the password has a NUL character, which OpenSSL takes for its end")
    return octets


def wrong_password_hint(octets: bytes) -> str:
    """Return a sentence about white space around a password, the usual trace of a file or a pipe; else nothing."""
    if octets != octets.strip():
        return ". The password has white space or a line break at its start or end: is that part of it?"
    return ""


def password_required(password: bytes | None, where: str) -> PasswordRequiredError:
    """Return the error for an encrypted key that came without a password, or with an empty one.

    :param where: what it was found in.
    """
    tried = "" if password is None else ", and the empty password does not open it"
    return PasswordRequiredError(f"the private key in {where} is encrypted{tried}; give its password")


def wrong_password(password: bytes, where: str, also: str = "") -> WrongPasswordError:
    """Return the error for a key that a password does not open.

    :param where: what it was found in.
    :param also: what else may be the reason, in parentheses.
    """
    return WrongPasswordError(
        f"the password does not open the private key in {where}, or the key is damaged{also}"
        f"{wrong_password_hint(password)}"
    )


def _encoded(password: str) -> bytes:
    try:
        return password.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        pass
    # Outside of the handler: UnicodeEncodeError holds the password and would be this exception's __context__.
    raise PasswordError("the password has characters (lone surrogates) that cannot be encoded as UTF-8")
