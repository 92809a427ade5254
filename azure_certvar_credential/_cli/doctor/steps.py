"""The steps of signing in, as a credential takes them, each with what it shows and what its failure means."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from urllib.parse import urlsplit

from azure_certvar_credential._cli.doctor import network
from azure_certvar_credential._cli.doctor.case import Case, Outcome, Step
from azure_certvar_credential._cli.doctor.diagnosis import Diagnosis, diagnosed, not_entra, of_codes
from azure_certvar_credential._cli.explaining import codes_in
from azure_certvar_credential._cli.findings import leaf_findings, policy_findings
from azure_certvar_credential._cli.tokens import claims_of, segment
from azure_certvar_credential._core.refusals import read_date
from azure_certvar_credential._json import parse_json
from azure_certvar_credential._transport.proxies import proxy_for

# Entra takes assertions of a clock that is five minutes off; one minute already tells of a clock that nobody sets.
_CLOCK_TOLERANCE, _CLOCK_LIMIT = 60, 300
# Their tokens carry no app roles: Azure role assignments decide, which the resource looks up itself.
_BY_AZURE_ROLES = ("management.azure.com", "management.core.windows.net", "storage.azure.com", "vault.azure.net")


def examine(case: Case) -> Iterator[tuple[str, Callable[[], Step]]]:
    """Yield each step's name and what takes it; after a failure the others are left out."""
    failed = False

    def taken(name: str, step: Callable[[Case], Outcome]) -> Step:
        nonlocal failed
        if failed:
            return Step(name, Outcome("skipped", ""))
        try:
            outcome = step(case)
        except Exception as error:
            diagnosis = diagnosed(error, case.names)
            if diagnosis is None:
                raise
            outcome = Outcome("failed", diagnosis.message, diagnosis)
        failed = outcome.state == "failed"
        return Step(name, outcome)

    for name, step in STEPS:
        yield name, lambda name=name, step=step: taken(name, step)  # type: ignore[misc]


def _certificate(case: Case) -> Outcome:
    case.certificate = certificate = case.named()
    end = f"{certificate.not_after:%Y-%m-%d}"
    shown = f"{certificate.subject}, until {end}\nthumbprint {certificate.thumbprint}"
    now = datetime.now(timezone.utc)
    for finding in leaf_findings(certificate.leaf, now):
        if finding.level == "note":
            continue
        refused = finding.level == "refused"
        clock = f" (this computer's clock: {now:%Y-%m-%d %H:%M} UTC)" if refused else ""
        diagnosis = Diagnosis(finding.code, f"{finding.message}{clock}", finding.remedy)
        return Outcome("failed" if refused else "warning", shown, diagnosis)
    return Outcome("good", shown)


def _policy(case: Case) -> Outcome:
    findings = list(policy_findings(case.certificate.leaf))
    if not findings:
        return Outcome("good", "nothing that a tenant's application management policy usually refuses")
    return Outcome("note", "a tenant's policy may refuse: " + ", ".join(finding.code for finding in findings))


def _arguments(case: Case) -> Outcome:
    missing = {"--tenant (AZURE_TENANT_ID)": case.tenant_id, "--client (AZURE_CLIENT_ID)": case.client_id}
    absent = [name for name, value in missing.items() if not value]
    if absent or not case.tenant_id or not case.client_id:
        text = f"not given: {', '.join(absent)}"
        remedy = (
            "Both stand on the app registration's overview, as 'Directory (tenant) ID' and 'Application (client) ID'."
        )
        return Outcome("failed", text, Diagnosis("missing-argument", text, remedy))
    sign_in = case.sign_in(case.tenant_id, case.client_id)
    arguments = sign_in.arguments()
    case.options = {name: arguments[name] for name in ("connection_verify",) if name in arguments}
    case.credential = sign_in.credential(case.certificate, retry_total=0, timeout=case.timeout)
    return Outcome("good", f"tenant {case.tenant_id}\nclient {case.client_id}")


def _assertion(case: Case) -> Outcome:
    header, claims, _ = case.credential.client_assertion().split(".")
    case.endpoint = str(segment(claims)["aud"])
    return Outcome("good", f"{segment(header)['alg']}, for\n{case.endpoint}")


def _name(case: Case) -> Outcome:
    case.proxy = proxy_for(case.endpoint, None, environment=True)
    try:
        target = urlsplit(case.proxy or case.endpoint)
        host, port = target.hostname or "", target.port or 443
    except ValueError:
        host, port = "", 0
    if not host:
        # Not repeated: it may hold a password.
        text = "HTTPS_PROXY, or the like, is not the URL of a proxy"
        remedy = "Write http://HOST:PORT, with special characters of user and password percent-encoded."
        return Outcome("failed", text, Diagnosis("proxy-malformed", text, remedy))
    try:
        found = network.addresses(host, port)
    except OSError as error:
        text = f"{host} has no address: {error.strerror or error}"
        remedy = (
            "Check HTTPS_PROXY." if case.proxy else "Check --authority, and this computer's DNS: 'nslookup' the name."
        )
        return Outcome("failed", text, Diagnosis("name-resolution", text, remedy, f"nslookup {host}"))
    return Outcome("good", f"{host} is {', '.join(found)}")


def _proxy(case: Case) -> Outcome:
    if case.proxy is None:
        return Outcome("good", "none")
    way = urlsplit(case.proxy)
    shown = f"{way.scheme}://{way.hostname}:{way.port or 80}"
    try:
        socket.create_connection((way.hostname or "", way.port or 80), timeout=network.SECONDS).close()
    except OSError as error:
        text = f"the proxy {shown} cannot be reached: {error.strerror or error}"
        remedy = "Correct HTTPS_PROXY, or name the sign-in host in NO_PROXY."
        return Outcome("failed", text, Diagnosis("proxy-unreachable", text, remedy))
    return Outcome("good", shown)


def _tls(case: Case) -> Outcome:
    authorities = network.trusted(case.options)
    if case.proxy is not None and not case.proxy.startswith("http:"):
        return Outcome("note", f"left to the next step, behind this kind of proxy; trusted: {authorities}")
    problem = ""
    try:
        seen = network.handshake(case.endpoint, case.proxy, case.options)
        return Outcome("good", f"{seen.version}, issued by {seen.issuer}\ntrusted: {authorities}")
    except ssl.SSLCertVerificationError as error:
        problem = error.verify_message
    except OSError as error:
        return _no_connection(case, error)
    try:
        shown = network.handshake(case.endpoint, case.proxy, case.options, verified=False).issuer
    except OSError:
        shown = "an unknown authority"
    text = f"the server's certificate, issued by {shown}, is not trusted: {problem} (trusted: {authorities})"
    remedy = (
        "If a proxy of your organisation inspects TLS and this is its authority, trust it: name its PEM file with "
        "--ca-file or in REQUESTS_CA_BUNDLE. If not, do not go on: somebody may be listening."
    )
    return Outcome("failed", text, Diagnosis("untrusted-server", text, remedy))


def _no_connection(case: Case, error: OSError) -> Outcome:
    host = urlsplit(case.endpoint).netloc
    if "Tunnel connection failed" in str(error):
        text = f"the proxy does not let {host} through: {error}"
        remedy = (
            "407 asks for user and password in HTTPS_PROXY; anything else, its administrator has to allow the host."
        )
        return Outcome("failed", text, Diagnosis("proxy-refuses", text, remedy))
    text = f"no connection to {host}: {error}"
    remedy = "Check the host, and the firewall: the sign-in needs port 443 outwards."
    return Outcome("failed", text, Diagnosis("unreachable", text, remedy))


def _authority(case: Case) -> Outcome:
    base, _, rest = case.endpoint.partition("/oauth2/")
    url = f"{base}{'/v2.0' if rest.startswith('v2.0') else ''}/.well-known/openid-configuration"
    case.metadata = answer = network.document(url, case.options)
    text = answer.body.decode("utf-8", "replace")
    try:
        document = parse_json(text)
    except ValueError:
        document = None
    codes = codes_in(text)
    if answer.status != 200 and codes:
        message = document.get("error_description", text) if isinstance(document, dict) else text
        diagnosis = of_codes(codes, message, case.names)
        return Outcome("failed", diagnosis.message, diagnosis)
    if answer.status in (429, 500, 502, 503, 504):
        said = f"the server answers with status {answer.status}"
        return Outcome("failed", said, Diagnosis("unavailable", said, "Try again later."))
    if not isinstance(document, dict) or "issuer" not in document:
        said = f"{url} answers with status {answer.status} and something other than its metadata"
        return Outcome("failed", said, not_entra(said))
    return Outcome("good", str(document["issuer"]))


def _clock(case: Case) -> Outcome:
    date = read_date(case.metadata.headers.get("date"))
    if date is None:
        return Outcome("note", "the server does not tell its time")
    off = time.time() - date
    size = f"{abs(off) / 60:.0f} minutes" if abs(off) >= 2 * _CLOCK_TOLERANCE else f"{abs(off):.0f} s"
    shown = f"{size} {'ahead of' if off > 0 else 'behind'} the server's"
    if abs(off) <= _CLOCK_TOLERANCE:
        return Outcome("good", f"{abs(off):.0f} s from the server's")
    beyond = (
        "Entra tolerates five minutes. This package corrects itself; other programs are refused with AADSTS700024."
        if abs(off) > _CLOCK_LIMIT
        else "Entra tolerates it up to five minutes."
    )
    text = f"This computer's clock is {shown}."
    return Outcome("warning", shown, Diagnosis("clock", f"{text} {beyond}", "Set it.", "timedatectl set-ntp true"))


def _token(case: Case) -> Outcome:
    case.token = case.credential.get_token(case.scope)
    minutes = (case.token.expires_on - time.time()) / 60
    return Outcome("good", f"for {case.scope}, valid for {minutes:.0f} minutes")


def _audience(case: Case) -> Outcome:
    claims = claims_of(case.token.token)
    if not claims:
        return Outcome("note", "the token is opaque")
    audience, tenant = str(claims.get("aud")), claims.get("tid")
    return Outcome("good", f"{audience}\ntenant {tenant}")


def _roles(case: Case) -> Outcome:
    claims = claims_of(case.token.token)
    roles = claims.get("roles") or []
    if roles:
        return Outcome("good", ", ".join(map(str, roles)))
    object_id = claims.get("oid", "OBJECT_ID")
    if any(host in case.scope for host in _BY_AZURE_ROLES):
        return Outcome("note", f"Azure roles decide: az role assignment list --all --assignee {object_id}")
    if not claims:
        return Outcome("note", "the token is opaque")
    diagnosis = Diagnosis(
        "no-roles",
        "The token carries no app role, so that most APIs will answer 403.",
        "Add an application permission of the API under API permissions, and grant admin consent.",
        f"az ad app permission admin-consent --id {case.names['client']}",
        "https://entra.microsoft.com/#view/Microsoft_AAD_RegisteredApps/ApplicationMenuBlade/~/CallAnAPI/appId/"
        f"{case.names['client']}",
    )
    return Outcome("warning", "none", diagnosis)


#: The steps in their order: what needs no network first.
STEPS: tuple[tuple[str, Callable[[Case], Outcome]], ...] = (
    ("certificate", _certificate),
    ("policy", _policy),
    ("arguments", _arguments),
    ("assertion", _assertion),
    ("name", _name),
    ("proxy", _proxy),
    ("TLS", _tls),
    ("authority", _authority),
    ("clock", _clock),
    ("token", _token),
    ("audience", _audience),
    ("roles", _roles),
)
