"""Checks that the arguments of several classes share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from azure_certvar_credential._core.authority import DEFAULT_ALGORITHM, Authority
from azure_certvar_credential._secrecy.redaction import redact_value
from azure_certvar_credential.exceptions import ConfigurationError
from azure_certvar_credential.signers.algorithms import ALGORITHMS, algorithm_named
from azure_certvar_credential.signers.keys import curve_of

if TYPE_CHECKING:
    from azure_certvar_credential.certificates import ClientCertificate

# Ten years.
_MAX_DAYS = 3650
# ASCII's, and the typographic ones that word processors and chat programs put in their place.
_QUOTES = "\"'`\u2018\u2019\u201c\u201d"


def check_flags(**flags: object) -> None:
    """Check options that are True or False. A string, as environment variables are, would be true whatever it says.

    :param flags: each option by its name; None stands for its default.
    :raises ConfigurationError: an option is neither; the message names it.
    """
    for name, flag in flags.items():
        if not isinstance(flag, (bool, type(None))):
            raise ConfigurationError(f"{name} must be True or False, not {redact_value(flag)}")


def warning_days(value: object) -> float:
    """Check ``expiry_warning_days`` and return it.

    :raises ConfigurationError: it is not a number of days.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= _MAX_DAYS:
        raise ConfigurationError(
            f"expiry_warning_days must be a number of days, 0 for no warning, not {redact_value(value)}"
        )
    return float(value)


def refuse_quotes(name: str, value: object) -> None:
    """Refuse a value in quotes, which no id, host or region has: an env file or a template left them.

    Not for passwords, which may have them.

    :param name: the option or environment variable, for the message.
    :raises ConfigurationError: the value begins and ends with a quote.
    """
    text = value.strip() if isinstance(value, str) else ""
    if len(text) > 1 and text[0] in _QUOTES and text[-1] in _QUOTES:
        raise ConfigurationError(
            f"{name} is in quotes: remove them (docker's --env-file, for one, keeps quotes as a part of the value)"
        )


def check_choice(server: Authority, algorithm: str) -> None:
    """Check that an authority accepts an algorithm.

    :raises ConfigurationError: it accepts only another one.
    """
    rules = server.rules
    if algorithm != rules.algorithm and not rules.choice:
        raise ConfigurationError(f"{rules.title} accepts {rules.algorithm} only, not {algorithm}: leave algorithm out")


def check_key(certificate: ClientCertificate, algorithm: str) -> None:
    """Check that a certificate's key can sign under the algorithm.

    :raises ConfigurationError: it cannot; the message names an algorithm that the key fits.
    """
    row = ALGORITHMS.get(algorithm) or algorithm_named(algorithm)
    curve = curve_of(certificate.signer.public_key)
    if row.curve == curve:  # both None for RSA
        return
    if row.key_type != certificate.key_type:
        remedy = (
            "use an RSA certificate: Entra refuses ES algorithms, which other servers accept with algorithm='ES256'"
            if certificate.key_type == "EC"
            else f"leave algorithm out for {DEFAULT_ALGORITHM}"
        )
        raise ConfigurationError(
            f"algorithm {algorithm} needs an {row.key_type} key, and the certificate's key is "
            f"{certificate.key_type}-{certificate.key_size}; {remedy}"
        )
    raise ConfigurationError(f"algorithm {algorithm} needs a key on {row.curve} (RFC 7518), not on {curve}")
