"""Words the refusal of a certificate that ``cryptography`` cannot parse: damage, or a rule that OpenSSL ignores."""

from __future__ import annotations

import re

from azure_certvar_credential.certificates import ber
from azure_certvar_credential.exceptions import CertificateFormatError

# What the parser says of a breach of DER, or of a value that hides nothing: a default that is written out (X.690 clause
# 11.5), characters that a string type does not have, a date in another form than RFC 5280 section 4.1.2.5 allows, a
# serial number that is empty or too long by a zero, a version that nobody issues.
_BREACHES = ("EncodedDefault", "AttributeValue::", "Time::", "TbsCertificate::serial", "valid X509 version")

_MEND = (
    "have it issued again by an up-to-date tool; for a self-signed one, `openssl req -x509 -new -key key.pem -days 365 "
    "-subj /CN=name -out new.pem` makes a new one with the same key. Register the new one with the application"
)


# A moment in any form of X.680 clauses 46 and 47, with digits that a date may have.
_TIME = (
    rb"(?:\d\d)?\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:[01]\d|2[0-4])(?:[0-5]\d(?:[0-6]\d)?)?(?:[.,]\d{1,9})?"
    rb"(?:Z|[+-]\d{4})?"
)


def refusal(encoded: bytes, where: str, problem: str) -> CertificateFormatError:
    """Return the error for a certificate that cannot be parsed.

    :param encoded: its DER.
    :param where: what it was found in.
    :param problem: the text of the parser.
    """
    if any(breach in problem for breach in _BREACHES) and ("Time::" not in problem or _has_times(encoded)):
        return CertificateFormatError(
            f"the certificate in {where} is complete, but breaks a rule of DER or X.509, in which Python's parser "
            f"(cryptography) is stricter than OpenSSL: {problem}. Nothing can change it without its issuer: {_MEND}"
        )
    return CertificateFormatError(f"the certificate in {where} is damaged: {problem}")


def _has_times(encoded: bytes) -> bool:
    try:
        fields = ber.parse_first(encoded).children()[0].children()
        # As in naming: a certificate of version 1 does not say so.
        validity = fields[4 - (fields[0].tag != ber.CONTEXT_0)].children()
    except (ber.MalformedError, IndexError):
        return False
    return all(re.fullmatch(_TIME, moment.content) for moment in validity)
