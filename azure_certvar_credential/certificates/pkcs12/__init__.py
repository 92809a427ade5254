"""PKCS #12 and password-based encryption: opens PFX files and encrypted private keys (RFC 7292, RFC 8018, RFC 5958).

This is our own code, beside ``cryptography``'s, for three reasons:

* Every iteration count is read, and taken from a budget, before any work is done. OpenSSL obeys a count of two billion,
  which a file may hide where its structure does not show it, and a process hangs for minutes.
* A wrong password and a damaged file are different errors. OpenSSL reports both as the same one.
* A key is opened without OpenSSL's validation of RSA keys (40 ms, with the GIL held): possession of the private key is
  proven afterwards by a signature, so building from a PFX takes a fifth of the time.

What ``cryptography`` opens within these rules is left to it; what neither knows goes to OpenSSL in a file that this
room writes for it, with the counts already checked.
"""
