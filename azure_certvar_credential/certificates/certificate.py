"""The certificate that signs client assertions; this package's counterpart of .NET's X509Certificate2."""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Iterable
from datetime import datetime
from typing import Literal, NoReturn, TypeAlias, final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding

from azure_certvar_credential._secrecy.tracebacks import clears_frames
from azure_certvar_credential.certificates import naming
from azure_certvar_credential.certificates.data import Content, KeyKind
from azure_certvar_credential.certificates.loading import read_material
from azure_certvar_credential.certificates.naming import der, readable
from azure_certvar_credential.certificates.possession import as_signer, prove_possession
from azure_certvar_credential.certificates.validity import warn_outside_validity
from azure_certvar_credential.signers.encoding import base64url
from azure_certvar_credential.signers.keys import PrivateKey
from azure_certvar_credential.signers.protocol import AsyncSigner, Signer


@final
class ClientCertificate:
    """A certificate, its chain, and a signer for its private key. Immutable.

    >>> certificate = ClientCertificate(leaf, key_service, chain=[])

    :param leaf: the certificate that is registered with Microsoft Entra ID. One outside its validity window is accepted
        with a :class:`.CertificateWarning`, because the server's clock decides.
    :param key: its RSA or EC private key, or a :class:`~azure_certvar_credential.signers.protocol.Signer` or
        :class:`~azure_certvar_credential.signers.protocol.AsyncSigner` that holds the key elsewhere. The constructor
        has it sign one random challenge to prove that it belongs to the leaf; of an asynchronous signer it only
        compares the public key.
    :param chain: the certificates between leaf and root in any order. They are ordered by issuer and signature;
        certificates that lead nowhere are dropped with a warning in the log. A single certificate is a chain of one,
        None is no chain.
    :param include_root: whether :attr:`x5c` ends with the root. Verifiers have their own copy of it (RFC 5246 section
        7.4.2 permits leaving it out), so by default it is omitted.
    :raises KeyMismatchError: the key is not the leaf's; the message names both public keys.
    :raises UnsupportedKeyError: the key is neither RSA nor EC, has fewer than 2048 bits, or is on a curve other than
        P-256, P-384 and P-521.
    :raises CertificateError: leaf, key or chain are of the wrong type, or damaged.
    """

    __slots__ = ("_chain", "_include_root", "_leaf", "_not_after", "_sha1", "_sha256", "_signer")

    _leaf: x509.Certificate
    _signer: Signer
    _chain: tuple[x509.Certificate, ...]
    _include_root: bool
    _not_after: datetime
    _sha1: str
    _sha256: str

    def __init__(
        self,
        leaf: x509.Certificate,
        key: PrivateKey | Signer | AsyncSigner,
        chain: Iterable[x509.Certificate] | x509.Certificate | None = (),
        *,
        include_root: bool = False,
    ) -> None:
        others: tuple[x509.Certificate, ...] = ()
        if chain is not None and chain != ():  # few applications send one
            from azure_certvar_credential.certificates.chain import given_chain

            others = given_chain(chain)
        for certificate in (leaf, *others):
            readable(certificate)
        signer = as_signer(key)
        prove_possession(leaf, signer)
        ordered: tuple[x509.Certificate, ...] = ()
        if others:
            from azure_certvar_credential.certificates.chain import order_chain

            ordered = order_chain(leaf, others)
        encoded = der(leaf)
        for name, value in {
            "_leaf": leaf,
            "_signer": signer,
            "_chain": ordered,
            "_include_root": bool(include_root),
            "_not_after": naming.not_after(leaf),
            "_sha1": hashlib.sha1(encoded, usedforsecurity=False).hexdigest().upper(),
            "_sha256": hashlib.sha256(encoded).hexdigest().upper(),
        }.items():
            object.__setattr__(self, name, value)
        warn_outside_validity(leaf)

    @classmethod
    @clears_frames
    def load(
        cls, data: CertificateData, password: str | bytes | None = None, *, include_root: bool = False
    ) -> ClientCertificate:
        """Read a certificate and its private key from any in-memory form, recognised by its content.

        >>> certificate = ClientCertificate.load(os.environ["APP_CERT"], password=None)

        :param data: PEM text or bytes (keys in PKCS #8, PKCS #1 or SEC 1, encrypted or not); PFX bytes; DER; base64 or
            base64url of any of these, also as rendered by shells, JSON writers and others; a ``(certificate, key)`` or
            ``(certificate, key, chain)`` sequence of any of these or of ``cryptography`` objects; a
            ``PKCS12KeyAndCertificates``; a Key Vault secret. A ``ClientCertificate`` is returned unchanged. The leaf is
            the certificate of the private key, at any position; of several, a valid one is preferred, then an issued
            one, then the one that expires last. Others that cannot be read are left out, with a warning in the log.
        :param password: opens an encrypted key or PFX; ``str`` is encoded as UTF-8, then as Latin-1. It is ignored if
            nothing is encrypted. None and an empty password open what is encrypted with an empty password.
        :param include_root: whether :attr:`x5c` ends with the root; see the class.
        :raises PasswordRequiredError: the key or PFX is encrypted and there is no password.
        :raises WrongPasswordError: the password does not open it.
        :raises PasswordError: the password is of another type, too long, or cannot be encoded.
        :raises MissingPrivateKeyError, MissingCertificateError, AmbiguousPrivateKeyError: there is none, or several.
        :raises KeyMismatchError, UnsupportedKeyError: see the class.
        :raises CertificateFormatError: the data is empty, damaged, cut off, a path, or in an unknown form.
        """
        if isinstance(data, ClientCertificate):
            return data
        if password is not None:
            from azure_certvar_credential.certificates.pkcs12.passwords import password_octets

            password = password_octets(password)
        material = read_material(data, password)
        return cls(material.leaf, material.signer, material.others, include_root=include_root)

    @classmethod
    def self_signed(cls, common_name: str, *, key: KeyKind = "RSA-2048", days: int = 365) -> ClientCertificate:
        """Create a key pair and a self-signed certificate in memory, for development.

        >>> certificate = ClientCertificate.self_signed("my app", days=90)

        :param common_name: the subject's common name without ``CN=``, 1 to 64 octets of UTF-8.
        :param key: the type and size of the key. Microsoft Entra ID takes RSA; EC is for other servers.
        :param days: how long it is valid from now on, 1 to 36,525. Its validity begins five minutes ago, for clocks
            that run behind.
        :raises ConfigurationError: an argument is not as described.
        """
        from azure_certvar_credential.certificates import generation

        return cls(*generation.generate(common_name, key, days))

    @property
    def leaf(self) -> x509.Certificate:
        """The certificate of the private key."""
        return self._leaf

    @property
    def chain(self) -> tuple[x509.Certificate, ...]:
        """The given certificates from the leaf's issuer towards the root, without the leaf."""
        return self._chain

    @property
    def signer(self) -> Signer:
        """The signer for the private key."""
        return self._signer

    @property
    def thumbprint(self) -> str:
        """The SHA-1 of the DER in upper-case hex, as the Azure portal shows it."""
        return self._sha1

    @property
    def sha256_thumbprint(self) -> str:
        """The SHA-256 of the DER in upper-case hex."""
        return self._sha256

    @property
    def x5t(self) -> str:
        """The SHA-1 of the DER in unpadded base64url (RFC 7515 section 4.1.7)."""
        return base64url(bytes.fromhex(self._sha1))

    @property
    def x5t_s256(self) -> str:
        """The SHA-256 of the DER in unpadded base64url (RFC 7515 section 4.1.8)."""
        return base64url(bytes.fromhex(self._sha256))

    @property
    def x5c(self) -> tuple[str, ...]:
        """Leaf and chain, each as padded base64 of its DER (RFC 7515 section 4.1.6); see ``include_root``."""
        from azure_certvar_credential.certificates.chain import without_root

        sent = self._chain if self._include_root else without_root(self._chain)
        return tuple(base64.b64encode(der(certificate)).decode("ascii") for certificate in (self._leaf, *sent))

    @property
    def subject(self) -> str:
        """The subject as an RFC 4514 string; of a malformed name, as much as can be shown."""
        return naming.subject(self._leaf)

    @property
    def issuer(self) -> str:
        """The issuer as an RFC 4514 string; of a malformed name, as much as can be shown."""
        return naming.issuer(self._leaf)

    @property
    def serial_number(self) -> int:
        """The serial number (RFC 5280 section 4.1.2.2)."""
        return self._leaf.serial_number

    @property
    def not_before(self) -> datetime:
        """The start of the validity window, aware, in UTC."""
        return naming.not_before(self._leaf)

    @property
    def not_after(self) -> datetime:
        """The end of the validity window, aware, in UTC."""
        return self._not_after

    @property
    def expires_in(self) -> float:
        """Seconds from now to :attr:`not_after`; negative when it has passed."""
        return self.not_after.timestamp() - time.time()

    @property
    def key_type(self) -> Literal["RSA", "EC"]:
        """The type of the key, by its JWK name (RFC 7518 section 6.1)."""
        return "RSA" if isinstance(self._signer.public_key, rsa.RSAPublicKey) else "EC"

    @property
    def key_size(self) -> int:
        """The length of the RSA modulus, or of the curve's field, in bits."""
        return self._signer.public_key.key_size

    def public_pem(self) -> str:
        """Return the leaf as PEM.

        >>> text = certificate.public_pem()
        """
        return self._leaf.public_bytes(Encoding.PEM).decode("ascii")

    def public_der(self) -> bytes:
        """Return the leaf as DER: the ``.cer`` to upload to the app registration.

        >>> key = base64.b64encode(certificate.public_der()).decode()  # as Microsoft Graph's keyCredentials take it
        """
        return der(self._leaf)

    @clears_frames
    def to_pfx(self, password: str | bytes | None) -> bytes:
        """Return key, leaf and chain as a PFX (PBES2 with AES-256, HMAC with SHA-256).

        >>> pfx_bytes = certificate.to_pfx("correct horse")

        :param password: encrypts the PFX; None leaves key and certificates in the clear, as in Key Vault's secrets.
        :raises CertificateError: the private key is not in this process's memory.
        :raises PasswordError: the password is empty, too long, of another type, or cannot be encoded.
        """
        from azure_certvar_credential.certificates import exports

        return exports.to_pfx(self._leaf, self._chain, self._signer, password)

    @clears_frames
    def to_pem(self, password: str | bytes | None = None) -> str:
        """Return key (PKCS #8), leaf and chain as PEM.

        >>> text = certificate.to_pem("correct horse")

        :param password: encrypts the key; None leaves it in the clear.
        :raises CertificateError, PasswordError: as :meth:`to_pfx`.
        """
        from azure_certvar_credential.certificates import exports

        return exports.to_pem(self._leaf, self._chain, self._signer, password)

    def __repr__(self) -> str:
        if not hasattr(self, "_sha256"):
            return "<ClientCertificate>"  # its constructor failed, and an error reporter shows the frame's variables
        return (
            f"<ClientCertificate {self.subject!r} thumbprint={self._sha1} expires={self.not_after:%Y-%m-%dT%H:%M:%SZ}>"
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ClientCertificate):
            return NotImplemented
        return (self._leaf, self._chain, self._include_root) == (other._leaf, other._chain, other._include_root)

    def __hash__(self) -> int:
        return hash(self._sha256)

    def __deepcopy__(self, memo: object = None) -> ClientCertificate:
        return self

    __copy__ = __deepcopy__

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a ClientCertificate cannot be pickled: it holds a private key, or a connection to one")

    def _refuse(self, name: str, _value: object = None) -> NoReturn:
        raise AttributeError(f"a ClientCertificate is immutable; {name!r} cannot be changed")

    __setattr__ = __delattr__ = _refuse


#: Every form in which this package takes a certificate with its private key; see :meth:`ClientCertificate.load`.
CertificateData: TypeAlias = ClientCertificate | Content
