"""The exceptions that the parsers of ``cryptography`` raise for damaged or unsupported input.

Its documentation promises ValueError; fuzzing found the others.
"""

from cryptography.exceptions import InternalError, InvalidSignature, UnsupportedAlgorithm
from cryptography.x509 import InvalidVersion

PARSER_ERRORS = (
    ValueError,
    TypeError,
    KeyError,  # a name whose string type is none
    OverflowError,  # a number too long for C
    InternalError,  # OpenSSL's error queue is not as expected
    InvalidVersion,  # not a ValueError
    UnsupportedAlgorithm,
)

# The same, and what verifying a signature with parsed objects adds.
VERIFY_ERRORS = (*PARSER_ERRORS, InvalidSignature)
