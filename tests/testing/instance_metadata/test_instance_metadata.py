"""A client finds out in which region it runs, or that it does not, or nothing at all."""

from __future__ import annotations

from collections.abc import Iterator

import msal.region
import pytest
import requests

from azure_certvar_credential.testing import Fault, InstanceMetadataEmulator, InstanceMetadataServer, Request, Response
from tests.testing.kit import World

URL = "http://169.254.169.254/metadata/instance/compute"
TEXT = f"{URL}/location?format=text&api-version=2021-02-01"
JSON = f"{URL}?api-version=2021-02-01"


def get(imds: InstanceMetadataEmulator, url: str = TEXT, method: str = "GET", **headers: str) -> Response:
    return imds.handle(Request(method, url, headers or {"Metadata": "true"}))


@pytest.fixture
def imds() -> Iterator[InstanceMetadataEmulator]:
    emulator = InstanceMetadataEmulator("norwayeast")
    yield emulator
    emulator.release()


@pytest.fixture
def served(imds: InstanceMetadataEmulator) -> Iterator[InstanceMetadataServer]:
    with imds.serve() as server:
        yield server


def test_the_region_is_given_as_text_and_as_json(imds: InstanceMetadataEmulator) -> None:
    response = get(imds)
    assert (response.status, response.body) == (200, b"norwayeast")
    assert response.headers["Content-Type"].startswith("text/plain")
    assert get(imds, JSON).json()["location"] == "norwayeast"
    assert imds.requests == ("/metadata/instance/compute/location", "/metadata/instance/compute")


@pytest.mark.parametrize(
    ("url", "method", "headers", "status", "error"),
    [
        (TEXT, "GET", {"accept": "*/*"}, 400, "Required metadata header not specified"),
        (TEXT, "GET", {"metadata": "true", "x-forwarded-for": "10.0.0.1"}, 400, "Required metadata header"),
        (f"{URL}/location?format=text", "GET", {}, 400, "api-version is invalid or was not specified"),
        (f"{URL}/location?format=text&api-version=1", "GET", {}, 400, "api-version is invalid"),
        (f"{URL}/zone?format=text&api-version=2021-02-01", "GET", {}, 404, "Not found"),
        (TEXT, "POST", {}, 405, "Method not allowed"),
    ],
    ids=["no header", "forwarded", "no version", "no such version", "another path", "another method"],
)
def test_a_wrong_question_is_refused(
    imds: InstanceMetadataEmulator, url: str, method: str, headers: dict[str, str], status: int, error: str
) -> None:
    response = get(imds, url, method, **headers)
    assert response.status == status
    assert error in response.json()["error"]


def test_a_version_that_is_not_known_is_answered_with_those_that_are(imds: InstanceMetadataEmulator) -> None:
    assert "2021-02-01" in get(imds, URL).json()["newest-versions"]


@pytest.mark.parametrize("status", [404, 500])
def test_it_fails_on_demand(imds: InstanceMetadataEmulator, status: int) -> None:
    imds.inject(Fault.server_error(status, json=False))
    imds.inject(Fault.not_json())
    assert get(imds).status == status
    assert b"<html>" in get(imds).body
    assert get(imds).status == 200


def test_outside_of_azure_there_is_nobody(world: World) -> None:
    response = world.entra.handle(Request("GET", TEXT, {"Metadata": "true"}))
    assert response.delivery.reset == "before"
    world.entra.instance_metadata.location = "uksouth"
    assert world.entra.handle(Request("GET", TEXT, {"Metadata": "true"})).body == b"uksouth"
    assert len(world.entra.requests) == 0


def test_it_is_served_on_the_loopback(served: InstanceMetadataServer) -> None:
    url = TEXT.replace("http://169.254.169.254", served.url)
    assert requests.get(url, headers={"Metadata": "true"}, timeout=30).text == "norwayeast"
    assert repr(served) == f"<InstanceMetadataServer {served.url}>"
    with pytest.raises(RuntimeError, match="already open"):
        served.__enter__()


def test_an_answer_that_hangs_is_let_go(imds: InstanceMetadataEmulator, served: InstanceMetadataServer) -> None:
    imds.inject(Fault.hang())
    url = TEXT.replace("http://169.254.169.254", served.url)
    with pytest.raises(requests.exceptions.ReadTimeout):
        requests.get(url, headers={"Metadata": "true"}, timeout=0.05)


def test_a_closed_server_says_so(imds: InstanceMetadataEmulator) -> None:
    with imds.serve() as server:
        url = server.url
    assert repr(server) == "<InstanceMetadataServer closed>"
    assert repr(imds) == "<InstanceMetadataEmulator norwayeast>"
    assert repr(InstanceMetadataEmulator(None)) == "<InstanceMetadataEmulator outside Azure>"
    with pytest.raises(requests.exceptions.ConnectionError):
        requests.get(url, timeout=5)


class Redirected:
    """An HTTP client of msal's that goes to the loopback in the place of the link-local address."""

    def __init__(self, base: str) -> None:
        self._base = base

    def get(self, url: str, **options: object) -> requests.Response:
        return requests.get(
            url.replace("http://169.254.169.254", self._base),
            timeout=30,
            **options,  # type: ignore[arg-type]
        )


def test_msal_finds_its_region_here(served: InstanceMetadataServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REGION_NAME", raising=False)
    assert msal.region._detect_region(Redirected(served.url)) == "norwayeast"
