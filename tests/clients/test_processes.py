"""A credential with a certificate that each process can read goes to other processes, where it signs in."""

from __future__ import annotations

import pytest

from azure_certvar_credential import CertVarCredential, EnvironmentCertificate
from tests.clients.playing import settled
from tests.clients.resource import KeyRing
from tests.clients.scene import Scene
from tests.clients.table import TABLE
from tests.clients.work import AUDIENCE, work


@pytest.mark.parametrize("name", ["joblib", "Dask"])
async def test_each_process_signs_in(scene: Scene, keys: KeyRing, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("APP_CERT", scene.certificate.to_pem())
    arguments = {**scene.arguments, "certificate": EnvironmentCertificate("APP_CERT")}
    with CertVarCredential(**arguments) as credential:
        tokens = await settled(TABLE[name].run("sync", {}, {"credential": credential, "work": work}))

    assert [keys.verify(token, AUDIENCE)["appid"] for token in tokens] == [scene.application.client_id] * 2
