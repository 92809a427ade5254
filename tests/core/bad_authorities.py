"""Arguments of a constructor that name no authority, and what the error says of each: where tokens would come from."""

from __future__ import annotations

from typing import Any

TENANT = "contoso.example"
ENTRA = "a host name or an https URL, such as login.microsoftonline.com"
NO_PROVIDER = (
    "oidc_authority must not be an ADFS server: pass authority='https://your-server/adfs' and "
    "disable_instance_discovery=True instead"
)
ISSUER = "the issuer's https URL, such as https://idp.example/tenant"

REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no text": ({"authority": 7}, f"authority must be {ENTRA}, not 7"),
    "white space": ({"authority": " "}, f"authority must be {ENTRA}, not ' '"),
    "no host": ({"authority": "https://"}, f"authority 'https://' is not {ENTRA}"),
    "a port that is none": ({"authority": "a.example:70000"}, f"authority 'a.example:70000' is not {ENTRA}"),
    "http": (
        {"authority": "http://login.microsoftonline.com"},
        "authority 'http://login.microsoftonline.com' must use https: the request carries a credential",
    ),
    "user info": (
        {"authority": "https://user:hunter2@login.microsoftonline.com"},
        "authority must not contain a user name or password: remove it up to the '@'",
    ),
    "tenant in the path": (
        {"authority": f"https://login.microsoftonline.com/{TENANT}"},
        (
            "authority must be a host only, such as https://login.microsoftonline.com, not "
            f"'https://login.microsoftonline.com/{TENANT}': the tenant goes into tenant_id"
        ),
    ),
    "path": (
        {"authority": "login.microsoftonline.com/common/oauth2/v2.0/token"},
        (
            "authority must be a host only, such as https://login.microsoftonline.com, not "
            "'login.microsoftonline.com/common/oauth2/v2.0/token': the tenant goes into tenant_id"
        ),
    ),
    "query": (
        {"authority": "login.microsoftonline.us?tenant=x"},
        (
            "authority must be a host only, such as https://login.microsoftonline.us, not a str of 33 characters (not "
            "shown, as it may be confidential): the tenant goes into tenant_id"
        ),
    ),
    "ADFS below a path": (
        {"authority": "fs.contoso.com/adfs/oauth2/token"},
        (
            "authority of ADFS must be https://fs.contoso.com/adfs, not 'fs.contoso.com/adfs/oauth2/token': ADFS has "
            "no tenants"
        ),
    ),
    "ADFS on a host of Entra's": (
        {"tenant_id": "adfs"},
        (
            "tenant_id 'adfs' means an ADFS server, and authority 'login.microsoftonline.com' is Microsoft Entra "
            "ID: pass authority='https://your-server/adfs', or the tenant's GUID or domain name as tenant_id"
        ),
    ),
    "ADFS on a host of B2C's": (
        {"tenant_id": "adfs", "authority": "contoso.b2clogin.com"},
        (
            "tenant_id 'adfs' means an ADFS server, and authority 'contoso.b2clogin.com' is Azure AD B2C: "
            "pass authority='https://your-server/adfs', or the tenant's GUID or domain name as tenant_id"
        ),
    ),
    "B2C without policy": (
        {"authority": f"https://contoso.b2clogin.com/{TENANT}"},
        (
            "authority of Azure AD B2C must be https://contoso.b2clogin.com/tenant/policy, such as "
            "https://contoso.b2clogin.com/contoso.onmicrosoft.com/B2C_1A_app, not "
            f"'https://contoso.b2clogin.com/{TENANT}'"
        ),
    ),
    "B2C with a policy that is none": (
        {"authority": f"https://contoso.b2clogin.com/{TENANT}/B2C.1"},
        (
            "authority of Azure AD B2C must be https://contoso.b2clogin.com/tenant/policy, such as "
            "https://contoso.b2clogin.com/contoso.onmicrosoft.com/B2C_1A_app, not "
            f"'https://contoso.b2clogin.com/{TENANT}/B2C.1'"
        ),
    ),
    "B2C with a prefix and no tenant": (
        {"authority": "https://contoso.b2clogin.com/TFP/B2C_1A_x"},
        (
            "authority of Azure AD B2C must be https://contoso.b2clogin.com/tenant/policy, such as "
            "https://contoso.b2clogin.com/contoso.onmicrosoft.com/B2C_1A_app, not "
            "'https://contoso.b2clogin.com/TFP/B2C_1A_x'"
        ),
    ),
    "B2C of another tenant": (
        {"authority": "https://contoso.b2clogin.com/fabrikam.example/B2C_1A_x"},
        f"authority names tenant 'fabrikam.example', and tenant_id is '{TENANT}': pass the same tenant in both",
    ),
    "B2C at its old host": (
        {"authority": f"https://login.microsoftonline.com/tfp/{TENANT}/B2C_1_x"},
        (
            "authority 'login.microsoftonline.com' no longer serves Azure AD B2C: pass "
            "https://name.b2clogin.com/tenant/policy instead"
        ),
    ),
    "B2C at its oldest path": (
        {"authority": f"https://login.microsoftonline.com/te/{TENANT}/B2C_1_x"},
        (
            "authority 'login.microsoftonline.com' no longer serves Azure AD B2C: pass "
            "https://name.b2clogin.com/tenant/policy instead"
        ),
    ),
    "external tenant with more": (
        {"authority": f"https://contoso.ciamlogin.com/{TENANT}/v2.0"},
        (
            "authority of an external tenant (CIAM) must be https://contoso.ciamlogin.com, alone or with the tenant as "
            f"its path, not 'https://contoso.ciamlogin.com/{TENANT}/v2.0': the tenant goes into tenant_id"
        ),
    ),
    "external tenant of another": (
        {"authority": "https://contoso.ciamlogin.com/fabrikam.example"},
        f"authority names tenant 'fabrikam.example', and tenant_id is '{TENANT}': pass the same tenant in both",
    ),
    "dSTS without tenant": (
        {"authority": "https://dsts.example.net/dstsv2"},
        "authority of dSTS must be https://dsts.example.net/dstsv2/tenant, not 'https://dsts.example.net/dstsv2'",
    ),
    "dSTS of another tenant": (
        {"authority": "https://dsts.example.net/dstsv2/fabrikam.example"},
        f"authority names tenant 'fabrikam.example', and tenant_id is '{TENANT}': pass the same tenant in both",
    ),
    "retired: Germany": (
        {"authority": "https://login.microsoftonline.de"},
        (
            "authority 'login.microsoftonline.de' no longer exists: Microsoft Cloud Germany closed in October 2021; "
            "its tenants moved to login.microsoftonline.com"
        ),
    ),
    "retired: the older host of Azure Government": (
        {"authority": "login-us.microsoftonline.com"},
        "authority 'login-us.microsoftonline.com' no longer exists: Azure Government moved to login.microsoftonline.us",
    ),
    "retired: ACS": (
        {"authority": "https://contoso.accesscontrol.windows.net/v2"},
        (
            "authority 'contoso.accesscontrol.windows.net' no longer exists: Azure Access Control Service is retired; "
            "Microsoft Entra ID took its place at login.microsoftonline.com"
        ),
    ),
    "two authorities": (
        {"authority": "login.microsoftonline.com", "oidc_authority": "https://idp.example"},
        (
            "authority and oidc_authority exclude each other: pass authority for one of Microsoft's sign-in hosts or "
            "an ADFS server, oidc_authority for any other OpenID provider"
        ),
    ),
    "issuer of no text": ({"oidc_authority": 7}, f"oidc_authority must be {ISSUER}, not 7"),
    "empty issuer": ({"oidc_authority": ""}, f"oidc_authority must be {ISSUER}, not ''"),
    "issuer without a scheme": (
        {"oidc_authority": "idp.example"},
        f"oidc_authority must be {ISSUER}, not 'idp.example'",
    ),
    "issuer over http": (
        {"oidc_authority": "http://idp.example"},
        "oidc_authority 'http://idp.example' must use https: the request carries a credential",
    ),
    "issuer with user info": (
        {"oidc_authority": "https://user:hunter2@idp.example"},
        "oidc_authority must not contain a user name or password: remove it up to the '@'",
    ),
    "retired, as an OpenID provider": (
        {"oidc_authority": "https://login.microsoftonline.de/tenant/v2.0"},
        (
            "oidc_authority 'login.microsoftonline.de' no longer exists: Microsoft Cloud Germany closed in October "
            "2021; its tenants moved to login.microsoftonline.com"
        ),
    ),
    "ACS as an OpenID provider": (
        {"oidc_authority": "https://contoso.accesscontrol.windows.net"},
        (
            "oidc_authority 'contoso.accesscontrol.windows.net' no longer exists: Azure Access Control Service is "
            "retired; Microsoft Entra ID took its place at login.microsoftonline.com"
        ),
    ),
    "issuer with a query": (
        {"oidc_authority": "https://idp.example/?x=1"},
        (
            f"oidc_authority must be {ISSUER}, without query and fragment, not a str of 24 characters (not shown, "
            "as it may be confidential)"
        ),
    ),
    "issuer with dots": (
        {"oidc_authority": "https://idp.example/a/../b"},
        f"oidc_authority must be {ISSUER}, without query and fragment, not 'https://idp.example/a/../b'",
    ),
    "document in the place of the issuer": (
        {"oidc_authority": "https://idp.example/.well-known/openid-configuration"},
        "oidc_authority must be the issuer alone: leave out '/.well-known/openid-configuration' at its end",
    ),
    "ADFS as an OpenID provider": ({"oidc_authority": "https://fs.contoso.com/ADFS/"}, NO_PROVIDER),
    "OpenID provider with the tenant of ADFS": (
        {"oidc_authority": "https://idp.example", "tenant_id": "adfs"},
        NO_PROVIDER,
    ),
    "tenant for users": (
        {"tenant_id": "common", "oidc_authority": "https://idp.example"},
        "tenant 'common' is for users who sign in; for an application, pass its tenant's GUID or domain name",
    ),
}
