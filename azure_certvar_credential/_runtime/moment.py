"""Makes a :class:`~azure_certvar_credential._core.effects.Moment`: the time, and ids that nobody has seen before."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable

from azure_certvar_credential._core.effects import Moment


def moment(clock: Callable[[], float]) -> Moment:
    """Return the present moment.

    :param clock: returns seconds since the epoch, UTC.
    """
    # uuid4 draws from the operating system's secure generator; the jitter protects nothing.
    return Moment(clock(), str(uuid.uuid4()), str(uuid.uuid4()), random.random())  # noqa: S311
