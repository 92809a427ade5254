"""A mounted Kubernetes secret with a certificate, laid out and renewed as the kubelet does it."""

from __future__ import annotations

from azure_certvar_credential import ClientCertificate
from local.scene import Scene, say

_mounted: list[tuple[Scene, ClientCertificate]] = []


def start(scene: Scene) -> dict[str, str]:
    """Mount the secret and return the variable that names its path."""
    (scene.folder / "secret").mkdir()
    _mount(scene, 1)
    say("the secret is a folder on this computer, written as the kubelet does it")
    return {"TLS_SECRET_PATH": str(scene.folder / "secret")}


def renew() -> None:
    """Mount a new certificate, and remove the old one from the application's registration."""
    scene, certificate = _mounted[-1]
    _mount(scene, len(_mounted) + 1)
    scene.application.unregister(certificate.thumbprint)


def _mount(scene: Scene, version: int) -> None:
    certificate = ClientCertificate.self_signed(f"app v{version}")
    scene.application.register(certificate)
    folder = scene.folder / "secret" / f"..version_{version}"
    folder.mkdir()
    key, end, leaf = certificate.to_pem().partition("-----END PRIVATE KEY-----\n")
    (folder / "tls.crt").write_text(leaf)
    (folder / "tls.key").write_text(key + end)
    link = scene.folder / "secret" / "..new"
    link.symlink_to(folder, target_is_directory=True)
    link.replace(scene.folder / "secret" / "..data")
    _mounted.append((scene, certificate))
