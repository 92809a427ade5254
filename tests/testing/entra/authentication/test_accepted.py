"""The ways in which a good request may be put."""

from __future__ import annotations

import pytest

from tests.testing.kit import HOST, World, b64url, refused, sha1, sha256


@pytest.mark.parametrize("algorithm", ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"])
def test_every_rsa_algorithm_is_verified(world: World, algorithm: str) -> None:
    good = world.assertion({"alg": algorithm})
    assert world.post(world.form(client_assertion=good)).status == 200
    assert refused(world.post(world.form(client_assertion=good[:-8] + "AAAAAAAA")))[2] == [700027]


@pytest.mark.parametrize("audience", ["{0}/oauth2/v2.0/token", "{0}/oauth2/token", "{0}/v2.0", "{0}/"])
def test_the_issuer_and_the_endpoint_are_audiences_under_every_name_of_the_tenant(world: World, audience: str) -> None:
    for name in (world.entra.tenant.tenant_id, "contoso.onmicrosoft.com"):
        assertion = world.assertion(claims={"aud": audience.format(f"{HOST}/{name}")})
        assert world.post(world.form(client_assertion=assertion)).status == 200


@pytest.mark.parametrize("kept", ["x5t", "x5t_s256", "kid"])
def test_the_certificate_may_be_named_in_three_ways(world: World, kept: str) -> None:
    names = {
        "x5t": b64url(sha1(world.certificate)),
        "x5t_s256": b64url(sha256(world.certificate)),
        "kid": world.application.credentials[0].key_id,
    }
    assertion = world.assertion({"x5t_s256": None, kept: names[kept]})
    assert world.post(world.form(client_assertion=assertion)).status == 200


def test_kid_may_be_the_thumbprint_as_the_portal_shows_it(world: World) -> None:
    header = {"x5t_s256": None, "kid": sha1(world.certificate).hex().upper()}
    assert world.post(world.form(client_assertion=world.assertion(header))).status == 200
