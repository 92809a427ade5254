"""Says in words what an acquisition waits for, for the error at its deadline."""

from __future__ import annotations

from urllib.parse import urlsplit

from azure_certvar_credential._core import effects
from azure_certvar_credential._core.effects import Effect
from azure_certvar_credential._transport.deadline import deadline


def note_wait(effect: Effect, provider: object) -> None:
    """Note at the deadline what an effect waits for.

    :param effect: the one to be performed now.
    :param provider: the credential's source; its ``repr`` shows no secret.
    :raises AcquisitionTimeoutError: the deadline has passed.
    """
    deadline().check()
    match effect:
        case effects.LoadCertificate():
            waits_for = f"the {provider!r}"
        case effects.LoadAssertion():
            waits_for = f"the {provider!r}"
        case effects.Sign(signer, _, algorithm):
            waits_for = f"the {algorithm} signature of the certificate's signer ({type(signer).__name__})"
        case effects.Send(url=url) | effects.Fetch(url=url):
            waits_for = f"the answer of {_without_query(url)}"
        case effects.Wait(seconds):
            waits_for = f"the next attempt, {seconds:g} s after the last one failed"
        case effects.DetectRegion():
            waits_for = "the Azure region of this machine"
        case effects.Serialized():
            waits_for = "another caller who reads the same metadata document"
        case _:
            return
    deadline().waits_for = waits_for


def _without_query(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
