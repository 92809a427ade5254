"""When a certificate's source is read again, and when its end is named, to the second."""

from __future__ import annotations

import logging

import pytest

from azure_certvar_credential import CertificateSource, ClientCertificate
from azure_certvar_credential._runtime.certificate_provider import DAY, NEAR_END, CertificateProvider

# Seldom enough for the certificate's end to decide.
_NEVER = 1e9


class Clock:
    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def reading(certificate: ClientCertificate, clock: Clock, max_age: float = _NEVER) -> CertificateProvider:
    """Return a provider that has read its source now."""
    source = CertificateSource(lambda: certificate, max_age=max_age)
    provider = CertificateProvider(source, lambda _: certificate, clock)
    provider.accept(certificate, None)
    return provider


def is_due(provider: CertificateProvider, clock: Clock, now: float) -> bool:
    clock.now = now
    return provider.ready(None)[1]


@pytest.mark.parametrize(("days", "left"), [(30, NEAR_END), (700, 70 * DAY)], ids=["a week", "a tenth of its life"])
def test_a_certificate_is_looked_at_when_it_nears_its_end(days: int, left: float) -> None:
    certificate = ClientCertificate.self_signed("near", days=days)
    begin, end = certificate.not_before.timestamp(), certificate.not_after.timestamp()
    near = end - max(left, 0.1 * (end - begin))
    clock = Clock(begin + 1)
    provider = reading(certificate, clock)

    assert not is_due(provider, clock, near - 1)
    assert is_due(provider, clock, near)


@pytest.mark.parametrize("after", [0.0, 1.0], ids=["at the very second", "after it"])
def test_near_its_end_a_certificate_is_looked_at_once_a_day(after: float) -> None:
    certificate = ClientCertificate.self_signed("near", days=30)
    near = certificate.not_after.timestamp() - NEAR_END
    clock = Clock(near + after)
    provider = reading(certificate, clock)

    assert not is_due(provider, clock, near + after)
    assert not is_due(provider, clock, near + after + DAY - 1)
    assert is_due(provider, clock, near + after + DAY)


def test_a_source_is_read_again_between_nine_tenths_of_its_age_and_all_of_it() -> None:
    certificate = ClientCertificate.self_signed("aged", days=300)
    began = certificate.not_before.timestamp() + DAY
    clock = Clock(began)
    provider = reading(certificate, clock, max_age=1000)

    assert not is_due(provider, clock, began + 899)
    assert is_due(provider, clock, began + 1000)


def test_a_source_that_fails_is_read_again_after_pauses_that_double_up_to_an_hour() -> None:
    certificate = ClientCertificate.self_signed("kept", days=300)
    clock = Clock(certificate.not_before.timestamp() + DAY)
    provider = reading(certificate, clock)

    for pause in (30, 60, 120, 240, 480, 960, 1920, 3600, 3600):
        assert provider.source_failed(OSError("gone"), None) is certificate
        failed = clock.now
        assert not is_due(provider, clock, failed + pause - 1)
        assert is_due(provider, clock, failed + pause)


def test_an_expired_certificate_does_not_serve_while_its_source_may_have_another() -> None:
    certificate = ClientCertificate.self_signed("ending", days=30)
    end = certificate.not_after.timestamp()
    clock = Clock(end - NEAR_END)
    provider = reading(certificate, clock)

    clock.now = end - 1
    assert provider.ready(None) == (certificate, True)
    provider.accept(certificate, None)
    clock.now = end + DAY
    assert provider.ready(None) == (None, False)


def renewed(clock: Clock) -> tuple[ClientCertificate, ClientCertificate, CertificateProvider]:
    """Return a certificate, its successor, and a provider that has changed from one to the other."""
    old, new = ClientCertificate.self_signed("old", days=30), ClientCertificate.self_signed("new", days=300)
    clock.now = old.not_before.timestamp() + DAY
    provider = CertificateProvider(lambda: new, lambda data: data, clock)  # type: ignore[arg-type, return-value]
    assert provider.accept(old, None) is old
    assert provider.accept(new, None) is new
    return old, new, provider


def test_a_refused_certificate_is_tried_again_after_pauses_that_double(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock(0.0)
    old, new, provider = renewed(clock)

    for pause in (30.0, 60.0, 120.0):
        assert provider.accept(new, new) is old
        refused = clock.now
        clock.now = refused + pause - 0.5
        assert provider.ready(None)[0] is old
        assert provider.accept(new, new) is old  # another caller finds that out, too
        clock.now = refused + pause
        assert provider.ready(None)[0] is new

    assert [record.getMessage().rsplit(" in ", 1)[1] for record in caplog.records] == ["30 s", "60 s", "120 s"]


@pytest.mark.parametrize("edge", ["begin", "end"])
def test_the_previous_certificate_serves_while_it_is_valid(edge: str) -> None:
    clock = Clock(0.0)
    old, new, provider = renewed(clock)
    begin, end = old.not_before.timestamp(), old.not_after.timestamp()
    inside, outside = (begin, begin - 1) if edge == "begin" else (end - 1, end)

    clock.now = inside
    assert provider.accept(new, new) is old
    assert provider.ready(None)[0] is old
    clock.now = outside
    assert provider.accept(new, new) is new
    assert provider.ready(None)[0] is new


@pytest.mark.parametrize(
    ("left", "words", "level"),
    [
        (7 * DAY, "expires in 7 days", logging.WARNING),
        (7 * DAY - 1, "expires in 7 days", logging.ERROR),
        (DAY / 4, "expires in 0 days", logging.ERROR),
        (0.0, "expires in 0 days", logging.ERROR),
        (-1.0, "has expired", logging.ERROR),
    ],
)
def test_the_log_says_what_is_left_of_a_certificate(
    caplog: pytest.LogCaptureFixture, left: float, words: str, level: int
) -> None:
    certificate = ClientCertificate.self_signed("ending", days=30)
    clock = Clock(certificate.not_after.timestamp() - left)
    CertificateProvider(certificate, lambda _: certificate, clock, warning_days=30).ready(None)

    assert [record.levelno for record in caplog.records] == [level]
    assert words in caplog.text


def test_the_end_of_a_certificate_is_named_from_the_first_second_on_and_once_a_day(
    caplog: pytest.LogCaptureFixture,
) -> None:
    certificate = ClientCertificate.self_signed("ending", days=30)
    begins = certificate.not_after.timestamp() - 10 * DAY
    clock = Clock(begins - DAY)
    provider = CertificateProvider(certificate, lambda _: certificate, clock, warning_days=10)
    lines = []
    for since in (-DAY, -1.0, 0.0, DAY - 1, DAY):
        clock.now = begins + since
        provider.ready(None)
        lines.append(len(caplog.records))

    assert lines == [0, 0, 1, 1, 2]
