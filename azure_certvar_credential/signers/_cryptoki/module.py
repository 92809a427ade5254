"""A PKCS #11 module in this process: loaded once, entered by one thread at a time, initialised again after a fork.

python-pkcs11 initialises a module with ``C_Initialize(NULL)``, which promises that no two threads call it at the same
time (PKCS #11 v3.1 section 5.4); SoftHSM, for one, then takes no locks at all. Yet it releases the GIL during each
call. So each module has one lock; a pool of sessions would only cause crashes.
"""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pkcs11

from azure_certvar_credential._secrecy.known_secrets import without_known
from azure_certvar_credential._secrecy.redaction import redact_value
from azure_certvar_credential.exceptions import ConfigurationError

if TYPE_CHECKING:
    from pkcs11._pkcs11 import lib as Library  # noqa: N812 - it is a class

# Seconds that a fork waits for a running signature; it does not wait longer for a person at a PIN prompt.
_FORK_SECONDS = 5.0
# PATH_MAX of Linux.
_LONGEST_PATH = 4096
# The longest name of a library that the dynamic linker finds: shorter than the base64 of any key.
_LONGEST_NAME = 64


class Module:
    """A loaded module; see :func:`module_at`.

    :ivar path: the path that it was first loaded from.
    :ivar lock: must be held around every call into the module. Read it again each time, because a fork replaces it.
    :ivar epoch: increases when all sessions of this process become invalid.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.lock = threading.RLock()
        self.epoch = 0
        self._forked = False
        self._library = _load(path)

    def library(self) -> Library:
        """Return python-pkcs11's object of the module, initialised in this process; with the lock held."""
        if self._forked:
            self.revive()
        return self._library

    def revive(self) -> None:
        """Initialise the module again, which invalidates every session; with the lock held.

        :raises pkcs11.PKCS11Error: the module cannot be initialised.
        """
        self.epoch += 1
        # It may not be initialised; python-pkcs11 records that before it raises.
        with suppress(pkcs11.PKCS11Error):
            self._library.finalize()
        self._library.initialize()
        self._forked = False

    def woke_in_child(self) -> None:
        """Drop the parent's state: a child must initialise the module itself (PKCS #11 v3.1 section 5.4)."""
        self.lock = threading.RLock()
        self.epoch += 1
        self._forked = True


_modules: dict[str, Module] = {}
_loading = threading.Lock()
_held: list[threading.RLock] = []


def module_at(path: str | os.PathLike[str]) -> Module:
    """Load a module, or return it if this process has loaded it already.

    :param path: the path of a shared library, or only its name (at most 64 characters) for the dynamic linker to find.
    :raises ConfigurationError: there is no such file, it is not a PKCS #11 module, or it cannot be initialised.
    """
    name = os.fspath(path)
    if not isinstance(name, str) or not name:
        raise ConfigurationError("module_path is empty; give the path of the PKCS #11 module (.so, .dylib or .dll)")
    is_path = Path(name).name != name
    # No library has such a name; another value was given in place of the path, and may be secret.
    is_none = len(name) > (_LONGEST_PATH if is_path else _LONGEST_NAME) or not name.isprintable()
    # Not Path.is_file: up to CPython 3.13 it raises if a part is too long, with the whole path in the message.
    if is_none or (is_path and not os.path.isfile(name)):  # noqa: PTH113
        raise ConfigurationError(
            f"module_path: there is no PKCS #11 module at {redact_value(name)}; give the path of the vendor's library"
        )
    key = os.path.realpath(name) if is_path else name
    with _loading:
        module = _modules.get(key)
        if module is None:
            module = _modules[key] = Module(name)
    return module


def _load(path: str) -> Library:
    try:
        return pkcs11.lib(path)
    except pkcs11.PKCS11Error as error:
        failure = error
    detail = str(failure) or type(failure).__name__
    if "already initialized" in detail:
        detail = "another part of this process, such as an OpenSSL provider, has already initialised it"
    # A name without a folder and a suffix may be the PIN, given for the path; the dynamic linker repeats it.
    if os.path.basename(path) == path and "." not in path:  # noqa: PTH119 - as the linker sees it
        detail = without_known(detail, [path])
        raise ConfigurationError(f"module_path is no PKCS #11 module: {detail}; give the path of the vendor's library")
    raise ConfigurationError(f"the PKCS #11 module {path} cannot be used: {detail}") from failure


def _before_fork() -> None:
    # A child forked while another thread is inside the module would inherit an inconsistent state.
    for module in list(_modules.values()):
        lock = module.lock
        if lock.acquire(timeout=_FORK_SECONDS):
            _held.append(lock)


def _in_parent() -> None:
    while _held:
        _held.pop().release()


def _in_child() -> None:
    global _loading  # noqa: PLW0603 - the parent's lock may be held by a thread that the child does not have
    _loading = threading.Lock()
    _held.clear()
    for module in _modules.values():
        module.woke_in_child()


if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
    os.register_at_fork(before=_before_fork, after_in_parent=_in_parent, after_in_child=_in_child)
