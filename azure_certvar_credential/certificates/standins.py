"""Names what stands for a certificate instead of being one: its name, its place, a placeholder, something encrypted.

Each row is unambiguous: no certificate, key or PFX in any supported form has its sign.
"""

from __future__ import annotations

import re

_HEX = r"[0-9A-Fa-f]{2}"
# Between the octets of a thumbprint as dialogs and tools show it.
_GAP = r"[\s:\-]{0,2}"
_MARKS = "\u200b\u200e\u200f\u202a-\u202e\u2060\ufeff"
_LABEL = r"(?:(?:sha-?(?:1|256)|thumbprint|fingerprint)[ \w]{0,20}[=:]\s{0,9})?"
_THUMBPRINT = rf"[{_MARKS}]{{0,4}}{_LABEL}(?:{_HEX}{_GAP}){{20}}(?:(?:{_HEX}{_GAP}){{12}})?[{_MARKS}]{{0,4}}"
_NAME = r"[\w .:/()\[\]'\"|-]{1,200}"
_SHORT = r"[\w .:-]{1,60}"
_ATTRIBUTE = "CN|O|OU|C|L|ST|S|DC|E|emailAddress|serialNumber|UID"

_EXPORT = (
    "this package reads no certificate store: export the certificate with its private key as a PFX "
    "(`Export-PfxCertificate`) and give the file's bytes, or base64 of them"
)
_PLACEHOLDERS = (
    r"!(?:Ref|Sub|GetAtt|ImportValue|Join|Select)\b.{0,200}",  # CloudFormation
    rf"(?:var|local|data|module|each|path)\.{_NAME}(?<!\.pem)(?<!\.pfx)|file(?:base64)?\({_NAME}\)",  # Terraform
    r"\(known after apply\)",
    rf"\$\(<?{_NAME}\)|\$!?\w{{1,100}}\$?|%%{_SHORT}%%|<[%?]{_SHORT}[%?]>|\u00ab{_SHORT}\u00bb",
    rf"\$\{{+{_NAME}\}}+",  # shells; GitHub: ${{ secrets.NAME }}
    rf"\$\({_NAME}\)|\$\[{_NAME}\]",  # Azure Pipelines
    r"\$[A-Za-z_][\w:.]{0,100}",  # shells, PowerShell
    rf"%\(?{_NAME}\)?[%s]",  # cmd, Python
    rf"#\{{{_NAME}\}}#?|\{{#{_NAME}#\}}",  # Octopus, replacetokens
    rf"\{{\{{{_NAME}\}}\}}|\{{%{_NAME}%\}}|\{{{_SHORT}\}}",  # Helm, Jinja
    rf"<%={_NAME}%>|<{{1,2}}{_SHORT}>{{1,2}}|\[\[?{_SHORT}\]\]?",  # ERB, manuals
    r"__\w{1,100}__|@@?\w{1,100}@@?|#\w{1,100}#|~\w{1,100}~",
)
_PLACEHOLDER = (
    "a placeholder that was not replaced: check that the variable or secret has this name where the value is made, and "
    "that the step that replaces it runs"
)
_MASKED = "a masked value: somebody copied it from a log or a page that hides secrets; read the secret from its source"
_REFERENCE = "a reference to a secret that was not resolved: fetch the secret and give its value"
_ENCRYPTED = "still encrypted"

# Each: what the whole text looks like, and how the sentence "the certificate is ..." ends.
_TEXTS: tuple[tuple[str, str], ...] = (
    (
        r"None|null|undefined|nil|[(<](?:null|nil)[)>]|%!.\(.{0,40}|NaN|n/?a|-|\[\]|\{\}",
        "a word for nothing; is the variable set where the value is made?",
    ),
    (_THUMBPRINT, f"a thumbprint, the name of a certificate; {_EXPORT}"),
    (r"x5t(?:#S256)?[=:]\s{0,9}[\w+/=-]{27,44}", f"a thumbprint, the name of a certificate; {_EXPORT}"),
    (
        rf"/?(?:{_ATTRIBUTE})\s?=[^\n=]{{1,99}}(?:[,/+] ?(?:{_ATTRIBUTE})\s?=[^\n=]{{1,99}}){{0,20}}",
        f"a subject, the name of a certificate; {_EXPORT}",
    ),
    (
        r"\{?[0-9A-F]{8}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{12}\}?",
        "a GUID, such as the id of a tenant, an application or a key; were the arguments swapped?",
    ),
    (
        r"[\w.~-]{3}8Q~[\w.~-]{31,37}",
        "a client secret of an app registration; this credential takes a certificate with its private key",
    ),
    (
        r"MI[\w+/=\s]{0,1000}(?:\.{3}|\u2026)[^-]{0,900}",
        "abridged, with dots in the place of a part; read the whole from its source",
    ),
    (
        r"(?:cert:[\\/]*)?(?:CurrentUser|LocalMachine)[\\/].{0,200}|cert:[\\/].{0,200}",
        f"a path in the Windows certificate store, ending perhaps in a thumbprint; {_EXPORT}",
    ),
    (
        r"@Microsoft\.KeyVault\(.{0,500}\)?",
        "an unresolved Key Vault reference of App Service; check that the app's managed identity may read the secret",
    ),
    (
        (
            r"[*\u2022\u25cf.xX#-]{3,2000}|[\[(<{]{1,2}(?:redacted|masked|hidden|secret|filtered|sensitive)[^\n]{0,40}"
            r"|\(?sensitive(?: value)?\)?|Secret(?:Str)?\(.{0,40}|redacted|hidden|\*{3}.{0,40}"
        ),
        _MASKED,
    ),
    (
        (
            r"System\.Byte\[\]|System\.Security\.SecureString|System\.Object\[\]|\[object [A-Za-z]+\]"
            r"|\[B@[0-9a-f]{1,16}|System\.Security\.Cryptography\.[\w.]+"
            r"|<[\w. ]{1,80} (?:object )?at 0x[0-9A-Fa-f]+>|<memory at .{1,40}>"
        ),
        "the name of an object's type, which a program wrote instead of its content; encode the bytes as base64 first",
    ),
    ("|".join(_PLACEHOLDERS), _PLACEHOLDER),
    (
        (
            r"(?!.*\.\w{2,4}$)(?:(?:your|insert|replace|change|enter|paste|todo|fixme|xxx)[\w .-]{0,60}|<?placeholder>?"
            r"|tbd|tba|dummy|example|sample|foo|test|secret)"
        ),
        _PLACEHOLDER,
    ),
    (
        (
            r"(?:arn:aws[\w-]*:|op://|vault:|ref\+|secretref:|keyvault://|akv://|aws-?sm://|gcp-?sm://|awsssm://|ssm://"
            r"|aws:secretsmanager:|bw://|doppler://|projects/[\w-]+/secrets/|/subscriptions/|secret/data/).{0,500}"
        ),
        _REFERENCE,
    ),
    (
        r"https?://[\w.-]+\.vault\.(?:azure\.net|azure\.cn|usgovcloudapi\.net)[:/].{0,300}",
        (
            "a Key Vault identifier, which looks like a URL: give the secret's value, SecretClient.get_secret(name), "
            "or use the Key Vault classes of this package"
        ),
    ),
    (
        r"(?:pkcs11|tpmkey|handle|engine|ncrypt|keychain|yubikey)[:\-].{0,500}|0x8[01][0-9A-Fa-f]{6}",
        "a reference to a key in a token or TPM; give (certificate, signer), where the signer calls the token",
    ),
    (
        r"true|false|yes|no|on|off|[0-9]{1,9}",
        "a flag or a number; check that the variable holds the certificate, and not whether there is one",
    ),
)

# Each: how the text begins.
_BEGINNINGS: tuple[tuple[str, str], ...] = (
    (r"ENC\[AES256_GCM,", f"{_ENCRYPTED} with SOPS; decrypt it first with `sops --decrypt`"),
    (r"ENC\[", f"{_ENCRYPTED} with hiera-eyaml or SOPS; decrypt it first with `eyaml decrypt` or `sops --decrypt`"),
    (r"\$ANSIBLE_VAULT;", f"{_ENCRYPTED} with ansible-vault; decrypt it first with `ansible-vault decrypt`"),
    (r"age-encryption\.org/", f"{_ENCRYPTED} with age; decrypt it first with `age -d`"),
    (
        r"vault:v\d+:",
        f"{_ENCRYPTED} by Vault's transit engine; decrypt it first with `vault write transit/decrypt/...`",
    ),
    (
        r"01000000d08c9ddf0115d1118c7a00c0|AQAAANCMnd8BFdERjHoAwE",
        f"{_ENCRYPTED} with DPAPI (ConvertFrom-SecureString); only its user can decrypt it, on that machine",
    ),
    (r"ENC\(", f"{_ENCRYPTED} with Jasypt; decrypt it first with its password"),
    (r"\{cipher\}", f"{_ENCRYPTED} by Spring Cloud Config; decrypt it first with `spring decrypt`"),
    (
        r"CfDJ8[A-Za-z0-9_+/-]{20}",
        f"{_ENCRYPTED} by ASP.NET Core's Data Protection; only its application can decrypt it",
    ),
    (r"CiQA[A-Za-z0-9_+/-]{60}", f"{_ENCRYPTED} with Google Cloud KMS; decrypt it first with `gcloud kms decrypt`"),
    (r"\$(?:2[aby]|argon2id?|[156]|pbkdf2)\$", "a hash of a password, from which nothing can be read"),
    (r"U2FsdGVkX1|Salted__", f"{_ENCRYPTED} by `openssl enc`; decrypt it first with `openssl enc -d`"),
    (r"AQICA[HI]|AQIDAH", f"{_ENCRYPTED} with AWS KMS; decrypt it first with `aws kms decrypt`"),
    (r"Ag[A-D][A-Za-z0-9+/]{400}", f"{_ENCRYPTED}, as in a SealedSecret; give the value of the Secret made of it"),
    (r"gAAAAA[A-Za-z0-9_-]{60}", f"{_ENCRYPTED} with Fernet; decrypt it first with its key"),
    (r"eyJ[A-Za-z0-9_-]{5,2000}\.", "a JSON Web Token or its encrypted form; give the certificate itself"),
    (
        r"PuTTY-User-Key-File-",
        (
            "a key in PuTTY's format; convert it with `puttygen key.ppk -O private-openssh -o key`, then with "
            "`ssh-keygen -p -m PKCS8 -f key`, and give it with its certificate"
        ),
    ),
    (r"---- BEGIN SSH2 ", "a key in the format of SSH2; give a certificate with its private key in PEM"),
    (r"ssh-(?:rsa|ed25519|dss) |ecdsa-sha2-nistp\d+ ", "a public key of SSH, which cannot sign"),
    (r"(?:\{\s{0,99})?\"?(?:kty|keys)\"?\s{0,9}:", "a JSON Web Key; give a certificate with its private key in PEM"),
    (r"<RSAKeyValue>", "an RSA key in XML; give a certificate with its private key in PEM"),
    (
        r"(?:00000000:? |0000000 )[0-9A-Fa-f]{2,4} ",
        "a hexadecimal dump with addresses; turn it back into bytes with `xxd -r`",
    ),
    (
        r"(?:(?:Path|Label): [^\n]{0,300}\s{1,20})?(?:Offset Bytes[^\n]{0,99}|00 01 02 03 |00000000 {2,3}30 )",
        (
            "a hexadecimal dump of Format-Hex; give base64 of the file instead: "
            "`[Convert]::ToBase64String([IO.File]::ReadAllBytes($path))`"
        ),
    ),
    (r"begin [0-7]{3} ", "uuencoded; decode it with `uudecode`"),
    (r"[0-7]{7} [0-7]{6} ", "an octal dump; give the file's bytes, or base64 of them"),
)

_KEYTOOL = (
    "convert it with `keytool -importkeystore -srckeystore old -destkeystore new.pfx -deststoretype PKCS12` and give "
    "the new file's bytes"
)

# Each: the first octets, plain or decoded from base64 or hexadecimal.
_MAGIC: tuple[tuple[bytes, str], ...] = (
    (rb"\xfe\xed\xfe\xed", f"a Java key store (JKS); {_KEYTOOL}"),
    (rb"\xce\xce\xce\xce", f"a Java key store (JCEKS); {_KEYTOOL}"),
    (rb"\0\0\0[\x01\x02]\0\0\0\x14", f"a key store of Bouncy Castle (BKS); {_KEYTOOL}"),
    (rb"\x1f\x8b", "compressed with gzip; decompress it first with `gunzip`"),
    (rb"PK\x03\x04", "a ZIP archive; give the content of the file inside"),
    (
        rb"\x01\0\0\0\xd0\x8c\x9d\xdf\x01\x15\xd1\x11",
        f"{_ENCRYPTED} with DPAPI; only the user who made it can decrypt it",
    ),
    (rb"Salted__", f"{_ENCRYPTED} by `openssl enc`; decrypt it first with `openssl enc -d`"),
    (rb"age-encryption\.org/", f"{_ENCRYPTED} with age; decrypt it first with `age -d`"),
    (rb"openssh-key-v1\0", "a key in OpenSSH's own format; convert it with `ssh-keygen -p -m PKCS8 -f key`"),
    (rb"\x03\xd9\xa2\x9a", "a KeePass database; export the certificate from it"),
    (rb"kych", "a macOS keychain; export the certificate from it as .p12"),
    (rb"BZh[1-9]|\xfd7zXZ\0|\x28\xb5\x2f\xfd", "compressed; decompress it first"),
)

# PEM blocks that may hold a key, but none that can be read; how the sentence "PEM block 1 (...) ..." ends.
_SIGNER = "give (certificate, signer), where the signer calls it"
PEM_LABELS = {
    "OPENSSH PRIVATE KEY": "is in OpenSSH's own format; convert it with `ssh-keygen -p -m PKCS8 -f key`",
    "TSS2 PRIVATE KEY": f"is a key in a TPM, which only that TPM can use; {_SIGNER}",
    "TSS2 KEY BLOB": f"is a key in a TPM, which only that TPM can use; {_SIGNER}",
    "PKCS#11 PROVIDER URI": f"refers to a key in a PKCS #11 token; {_SIGNER}",
    "AGE ENCRYPTED FILE": f"is {_ENCRYPTED} with age; decrypt it first with `age -d`",
    "PGP MESSAGE": f"is {_ENCRYPTED} with PGP; decrypt it first with `gpg --decrypt`",
    "PGP PRIVATE KEY BLOCK": "is a key of PGP, which belongs to no certificate",
    "ENCRYPTED COSIGN PRIVATE KEY": "is a key of cosign, which belongs to no certificate",
    "ENCRYPTED SIGSTORE PRIVATE KEY": "is a key of cosign, which belongs to no certificate",
    "SSH2 ENCRYPTED PRIVATE KEY": "is in the format of SSH2; convert it with `ssh-keygen -i`",
}

_LONGEST = 2_000
_SPACE = " \t\r\n\"'`\u200b\u200e\u200f\u2060\ufeff"
_WHOLE = tuple((re.compile(sign, re.IGNORECASE), means) for sign, means in _TEXTS)
_BEGUN = tuple((re.compile(sign), means) for sign, means in _BEGINNINGS)
_OCTETS = tuple((re.compile(sign), means) for sign, means in _MAGIC)


def explain(data: str | bytes) -> str | None:
    """Return a message if data certainly stands for a certificate instead of being one, else None."""
    means = meaning(data)
    return means and f"the certificate is {means}"


def meaning(data: str | bytes) -> str | None:
    """Return what data stands for, for a message, if it certainly stands for something else; else None."""
    if isinstance(data, bytes):
        means = next((means for sign, means in _OCTETS if sign.match(data)), None)
        if means is not None:
            return means
        data = data.decode("latin-1")
    bare = data[:_LONGEST].replace("\x00", "").strip(_SPACE) if len(data) > _LONGEST else data.strip(_SPACE)
    means = next((means for sign, means in _BEGUN if sign.match(bare)), None)
    if means is None and len(data) <= _LONGEST and "-----BEGIN" not in bare:
        means = next((means for sign, means in _WHOLE if sign.fullmatch(bare)), None)
    return means
