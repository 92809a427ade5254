"""Which algorithm the flow signs with where the signer does not offer the default one."""

from __future__ import annotations

import pytest

from azure_certvar_credential import CallbackSigner, ClientCertificate
from azure_certvar_credential._core.effects import LoadCertificate, ReadAlgorithm, Send, Sign, WriteAlgorithm
from azure_certvar_credential.exceptions import ConfigurationError
from tests.core.certificates import certificate
from tests.core.responses import token
from tests.core.script import WRITE, Driver, Step, World, flow, now, read_cache


def _held_elsewhere() -> Step:
    """A certificate whose key is behind a function; the script signs in its place."""
    one = certificate("one")
    signer = CallbackSigner(one.leaf, one.signer.sign)
    return Step(LoadCertificate, ClientCertificate(one.leaf, signer))


REFUSED = Step(Sign, ConfigurationError("the token cannot sign with PS256"))
SIGNED = Step(Sign, b"a signature")


def test_a_signer_that_refuses_pss_signs_with_rs256_and_is_remembered(drive: Driver) -> None:
    script = [now(), Step(ReadAlgorithm), REFUSED, SIGNED, Step(WriteAlgorithm), Step(Send, token())]
    world = World(read_cache(), _held_elsewhere(), script, WRITE)
    drive(flow(), world.perform)
    world.done()
    assert [one.algorithm for one in world.all(Sign)] == ["PS256", "RS256"]
    (kept,) = world.all(WriteAlgorithm)
    assert (kept.algorithm, str(kept.refused)) == ("RS256", "the token cannot sign with PS256")


def test_it_is_not_asked_for_pss_again(drive: Driver) -> None:
    script = [now(), Step(ReadAlgorithm, "RS256"), SIGNED, Step(Send, token())]
    world = World(read_cache(), _held_elsewhere(), script, WRITE)
    drive(flow(), world.perform)
    assert [one.algorithm for one in world.all(Sign)] == ["RS256"]


def test_a_chosen_algorithm_stands(drive: Driver) -> None:
    world = World(read_cache(), _held_elsewhere(), now(), REFUSED)
    with pytest.raises(ConfigurationError, match="cannot sign with PS256"):
        drive(flow(algorithm="PS256"), world.perform)
    world.done()
