"""Normalises the passwords of encrypted keys and PFX files, and words the errors about them without their value."""

from __future__ import annotations

from azure_certvar_credential.exceptions import PasswordError, PasswordRequiredError, WrongPasswordError

# OpenSSL's limit for PEM passwords (PEM_BUFSIZE); some releases of cryptography enforce it with a bare ValueError.
_MAX_LENGTH = 1023

# For messages about passwords that are not ASCII.
NOT_ASCII = (
    "The password has characters outside ASCII, which tools encode differently: UTF-8 and Latin-1 were tried, as far "
    "as the limit of key derivation allows; for any other encoding give the octets, such as password.encode('cp850')"
)


def password_octets(password: object) -> bytes | None:
    """Return a password as bytes.

    :param password: None, ``str`` (encoded as UTF-8) or bytes. Lone surrogates, in which Python keeps octets of an
        environment variable that are not UTF-8 (PEP 383), become those octets again.
    :raises PasswordError: it is of another type, too long, contains a NUL, or cannot be encoded.
    """
    if password is None:
        return None
    if isinstance(password, str):
        octets = _encoded(password)
    elif isinstance(password, (bytes, bytearray)):
        octets = bytes(password)
    else:
        raise PasswordError(f"password must be str, bytes or None, not of type {type(password).__name__}")
    if len(octets) > _MAX_LENGTH:
        raise PasswordError(f"the password is {len(octets)} bytes long; OpenSSL accepts at most {_MAX_LENGTH}")
    # OpenSSL's PKCS #12 functions take a C string and would silently ignore the rest.
    if b"\x00" in octets:
        raise PasswordError("the password contains a NUL character, where OpenSSL would end it")
    return octets


def wrong_password_hint(octets: bytes) -> str:
    """Return hints at what may be wrong with a password, without its value: white space, quotes, encoding."""
    hints = ""
    if octets != octets.strip():
        hints += ". The password begins or ends with white space or a line break; check whether that belongs to it"
    bare = octets.strip()
    if len(bare) > 1 and bare[:1] == bare[-1:] and bare[:1] in (b"'", b'"', b"`"):
        hints += ". The password is in quotes, perhaps those of an env file; check whether they belong to it"
    if not octets.isascii():
        hints += f". {NOT_ASCII}"
    return hints


def password_required(password: bytes | None, where: str) -> PasswordRequiredError:
    """Return the error for an encrypted key that came without a password, or with an empty one.

    :param where: what it was found in.
    """
    tried = "" if password is None else ", and the empty password does not open it"
    return PasswordRequiredError(f"the private key in {where} is encrypted{tried}; give its password")


def wrong_password(password: bytes, where: str, also: str = "") -> WrongPasswordError:
    """Return the error for a key that a password does not open.

    :param where: what it was found in.
    :param also: another possible reason, in parentheses.
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
    # Outside the handler: UnicodeEncodeError holds the password and would become __context__.
    raise PasswordError("the password contains lone surrogates, which UTF-8 cannot encode")
