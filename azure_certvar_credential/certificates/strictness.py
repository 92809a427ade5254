"""Words the refusal of a certificate that ``cryptography`` cannot parse: damage, or a rule that OpenSSL ignores."""

from __future__ import annotations

from azure_certvar_credential.exceptions import CertificateFormatError

# What the parser says of a breach of DER, or of a value that hides nothing: a default that is written out (X.690 clause
# 11.5), characters that a string type does not have, a date in another form than RFC 5280 section 4.1.2.5 allows, a
# serial number that is empty or too long by a zero, a version that nobody issues.
_BREACHES = ("EncodedDefault", "AttributeValue::", "Time::", "TbsCertificate::serial", "valid X509 version")

_MEND = (
    "have it issued again by an up-to-date tool; for a self-signed one, `openssl req -x509 -new -key key.pem -days 365 "
    "-subj /CN=name -out new.pem` makes a new one with the same key. Register the new one with the application"
)


def refusal(where: str, problem: str) -> CertificateFormatError:
    """Return the error for a certificate that cannot be parsed.

    :param where: what it was found in.
    :param problem: the text of the parser.
    """
    if any(breach in problem for breach in _BREACHES):
        return CertificateFormatError(
            f"the certificate in {where} is complete, but breaks a rule of DER or X.509, in which Python's parser "
            f"(cryptography) is stricter than OpenSSL: {problem}. Nothing can change it without its issuer: {_MEND}"
        )
    return CertificateFormatError(f"the certificate in {where} is damaged: {problem}")
