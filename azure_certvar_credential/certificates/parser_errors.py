"""What the parsers of ``cryptography`` raise on damaged or unsupported input.

Its documentation promises ValueError; fuzzing found these.
"""

from cryptography.exceptions import InternalError, InvalidSignature, UnsupportedAlgorithm
from cryptography.x509 import InvalidVersion

# OverflowError: a number too long for C. KeyError: a string type of a name that is none (43.0). InvalidVersion is
# no ValueError. InternalError: OpenSSL's error queue is not as expected.
PARSER_ERRORS = (
    ValueError,
    TypeError,
    KeyError,
    OverflowError,
    InternalError,
    InvalidVersion,
    UnsupportedAlgorithm,
)

# The same while a signature is verified with what was parsed.
VERIFY_ERRORS = (*PARSER_ERRORS, InvalidSignature)
