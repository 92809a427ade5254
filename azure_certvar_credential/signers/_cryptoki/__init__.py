"""PKCS #11 (Cryptoki) beneath :class:`~azure_certvar_credential.signers.pkcs11.Pkcs11Signer`; needs python-pkcs11."""
