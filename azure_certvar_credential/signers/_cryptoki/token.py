"""A token in this process, with the single session that all signers on it share.

A login belongs to the process, not to a session (PKCS #11 v3.1 section 2.4), and python-pkcs11 logs out when it closes
a session that logged in. With one session per signer, closing one signer would log out the others.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from weakref import WeakSet

import pkcs11
from pkcs11.types import PROTECTED_AUTH

from azure_certvar_credential.exceptions import ConfigurationError, PasswordRequiredError
from azure_certvar_credential.signers._cryptoki.module import Module

AskPin = Callable[[], "str | None"]


class Token:
    """A token by its label; see :func:`token_on`. Call every method with the module's lock held.

    :ivar module: the module that gives access to it.
    :ivar label: the token's label.
    """

    def __init__(self, module: Module, label: str) -> None:
        self.module = module
        self.label = label
        self._session: pkcs11.Session | None = None
        self._epoch = -1
        # Weak: a signer that was collected without close() no longer counts.
        self._users: WeakSet[object] = WeakSet()

    @property
    def described(self) -> str:
        """The name of the token in messages."""
        return f"the token {self.label!r}"

    @property
    def is_open(self) -> bool:
        """Whether there is a session; it may have been lost unnoticed."""
        return self._session is not None and self._epoch == self.module.epoch

    def join(self, signer: object) -> None:
        """Add a signer; the first one logs in anew."""
        if not self._users:
            self.drop()
        self._users.add(signer)

    def leave(self, signer: object) -> None:
        """Remove a signer; the last one ends the session."""
        self._users.discard(signer)
        if not self._users:
            self.drop()

    def session(self, ask_pin: AskPin) -> pkcs11.Session:
        """Return the session, opening it and logging in if there is none.

        :param ask_pin: returns the PIN; called only if it is needed.
        :raises ConfigurationError: there is no such token, or more than one.
        :raises PasswordRequiredError: it needs a PIN, and ``ask_pin`` returned None.
        :raises pkcs11.PKCS11Error: the token rejected the login, or failed.
        """
        library = self.module.library()
        if self._session is None or not self.is_open:
            self._session = self._open(list(library.get_tokens()), ask_pin)
            self._epoch = self.module.epoch
        return self._session

    def drop(self) -> None:
        """End the session if it is still valid; :meth:`session` opens a new one."""
        session, self._session = self._session, None
        if session is None or self._epoch != self.module.epoch:
            return
        # Usually the session is already lost and cannot be closed.
        with suppress(pkcs11.PKCS11Error):
            session.close()

    def _open(self, tokens: list[pkcs11.Token], ask_pin: AskPin) -> pkcs11.Session:
        found = [token for token in tokens if token.label == self.label]
        if len(found) != 1:
            labels = ", ".join(sorted(repr(token.label) for token in tokens if token.label)) or "none"
            count = "no token" if not found else f"{len(found)} tokens"
            # The label itself only if there is such a token: another value may be the PIN, given for the label.
            named = f"labelled {self.label!r}" if found else "with the label that token_label gives"
            raise ConfigurationError(f"{self.module.path} has {count} {named}; it must have one. Its labels: {labels}")
        token = found[0]
        try:
            return token.open(user_pin=self._credential(token, ask_pin))
        except pkcs11.UserAlreadyLoggedIn:
            # Another user of the module in this process logged in, and the login covers the whole process.
            return token.open()

    def _credential(self, token: pkcs11.Token, ask_pin: AskPin) -> object:
        if not token.flags & pkcs11.TokenFlag.LOGIN_REQUIRED:
            return None
        pin = ask_pin()
        if pin is not None:
            return pin
        if token.flags & pkcs11.TokenFlag.PROTECTED_AUTHENTICATION_PATH:
            return PROTECTED_AUTH  # the token asks on its own key pad
        raise PasswordRequiredError(f"{self.described} needs a PIN; give pin, a str or a function that returns it")


_tokens: dict[tuple[Module, str], Token] = {}


def token_on(module: Module, label: str) -> Token:
    """Return this process's only object for a token; with the module's lock held."""
    return _tokens.setdefault((module, label), Token(module, label))
