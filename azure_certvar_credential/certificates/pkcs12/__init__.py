"""PKCS #12 and password-based encryption: opens PFX files and encrypted private keys (RFC 7292, RFC 8018, RFC 5958).

``cryptography`` opens PFX files too, through OpenSSL. This package has its own code for three reasons:

* It reads every iteration count, and takes it from a budget, before it derives a key. OpenSSL obeys a count of two
  billion, which may even be encrypted itself, and the process hangs for minutes.
* Where the file has a MAC, it reports a wrong password and a damaged file as different errors. OpenSSL does not.
* It opens RSA keys without OpenSSL's validation (about 40 ms each), which ``cryptography`` lets callers skip for keys
  but not for PFX files. A signature proves possession of the key afterwards.

The primitives (PBKDF2, scrypt, ciphers, HMAC, parsing a decrypted key) are those of ``cryptography``, and so is opening
an encrypted PKCS #8 key with a password. Ciphers that neither has, such as RC2 and RC4, are left to OpenSSL: it gets a
small PFX written here, whose iteration counts have been checked.
"""
