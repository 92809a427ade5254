"""Finds texts in JSON, such as a secret with its metadata as a secret store or its command-line tool writes it.

Which member holds the certificate is not asked by name, since every store has another: the content tells.
"""

from __future__ import annotations

from azure_certvar_credential._json import parse_json
from azure_certvar_credential.certificates import encoding, hints, pem, renderings, structures

# A key on P-256 has more characters than this.
_SHORTEST = 60
_MOST = 1_000
_KINDS = (structures.CERTIFICATE, structures.PFX, structures.PRIVATE_KEY, structures.ENCRYPTED_PRIVATE_KEY)


def complete_members(text: str, layers: int) -> list[str]:
    """Return the members of JSON that are a whole PEM, DER or PFX, in whatever rendering.

    :param layers: how many encodings in base64 one inside another are looked into.
    """
    return [member for member in _members(text) if _is_complete(member, layers)]


def embedded(text: str) -> list[bytes]:
    """Return the certificates and keys that are encoded in base64 somewhere in a text; none if it was to be PEM."""
    found = [] if hints.is_damaged_pem(text) else encoding.embedded(text)
    return [item for item in found if _is_material(item)]


def _is_complete(text: str, layers: int) -> bool:
    undone = renderings.undo(text)
    if isinstance(undone, str) and pem.BEGIN in undone:
        return pem.END in undone
    items = [undone] if isinstance(undone, bytes) else encoding.from_base64(undone) or []
    return layers > 0 and bool(items) and all(_is_complete_item(item, layers - 1) for item in items)


def _is_complete_item(item: bytes, layers: int) -> bool:
    if encoding.looks_binary(item):
        return _is_material(item) and encoding.is_whole(item)
    return _is_complete(encoding.as_text(item), layers)


def _is_material(item: bytes) -> bool:
    return not encoding.looks_binary(item) or structures.identified(item) in _KINDS


def _members(text: str) -> list[str]:
    """Return the texts and the rows of numbers in a JSON object or array, at any depth; none if a text is not JSON.

    A member may be JSON itself, as in the answer of a store whose secret is an object.
    """
    found: list[str] = []
    # Bounded: each text of JSON is shorter than the one that it is in.
    waiting = [_parsed(text)]
    while waiting and len(found) < _MOST:
        value = waiting.pop()
        if isinstance(value, str):
            inside = _parsed(value)
            if inside is not None:
                waiting.append(inside)
            elif len(value) >= _SHORTEST:
                found.append(value)
        elif isinstance(value, dict):
            waiting += reversed(value.values())
        elif isinstance(value, list) and all(type(item) is int for item in value):
            found.append(" ".join(map(str, value)))
        elif isinstance(value, list):
            waiting += reversed(value)
    return found


def _parsed(text: str) -> object:
    bare = text.strip().strip("\ufeff")
    if not (bare.startswith(("{", "[")) and bare.endswith(("}", "]"))):
        return None
    try:
        parsed: object = parse_json(bare)
    except ValueError:
        return None
    return parsed
