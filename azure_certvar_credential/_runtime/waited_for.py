"""Says in words what an acquisition waits for, for the error at its deadline."""

from __future__ import annotations

from azure_certvar_credential._core import effects
from azure_certvar_credential._core.effects import Effect
from azure_certvar_credential._transport.deadline import deadline


def note_wait(effect: Effect, provider: object) -> None:
    """Note at the deadline what an effect waits for.

    :param effect: the one to be performed now.
    :param provider: the credential's source; its ``repr`` shows no secret.
    :raises AcquisitionTimeoutError: the deadline has passed.
    """
    current = deadline()
    current.check()
    # Put into words only when the deadline passes, and without the effect, which may hold an assertion.
    match effect:
        case effects.LoadCertificate() | effects.LoadAssertion():
            current.waits_for = "the {!r}", provider
        case effects.Sign(signer, _, algorithm):
            current.waits_for = f"the {algorithm} signature of the certificate's signer ({{}})", type(signer).__name__
        case effects.Send(url=url) | effects.Fetch(url=url):
            current.waits_for = "the answer of {}", url.partition("?")[0]
        case effects.Wait(seconds):
            current.waits_for = "the next attempt, {:g} s after the last one failed", seconds
        case effects.DetectRegion():
            current.waits_for = "{}", "the Azure region of this machine"
        case effects.Shared():
            current.waits_for = "{}", "the shared token cache"
        case effects.Serialized():
            current.waits_for = "{}", "another caller who reads the same metadata document"
