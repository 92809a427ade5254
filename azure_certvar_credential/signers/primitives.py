"""The objects of ``cryptography`` for the hashes and paddings of the algorithm table.

Each is made once: making them takes longer than anything else around a signature, OpenSSL's own work aside.
"""

from __future__ import annotations

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

# By the length of the hash in bits.
HASHES: dict[int, hashes.HashAlgorithm] = {256: hashes.SHA256(), 384: hashes.SHA384(), 512: hashes.SHA512()}
# RFC 7518 section 3.5: MGF1 with the same hash, and a salt as long as the hash.
PSS = {bits: padding.PSS(padding.MGF1(digest), digest.digest_size) for bits, digest in HASHES.items()}
PKCS1V15 = padding.PKCS1v15()
