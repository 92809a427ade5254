"""``certvar demo``."""

from __future__ import annotations

from azure_certvar_credential._cli.options import one_command

app = one_command()


@app.command()
def demo() -> None:
    """Sign in on this computer alone, without an Azure subscription and without a private key on disk.

    Make a certificate in memory and register it with a local Entra; build a credential from its PFX bytes, get a token,
    get it again from the cache, and call a protected resource through a real Azure client. Then sign in with a
    certificate whose key stays in a local Key Vault.
    """
    from azure_certvar_credential._cli.demo import run_demo
    from azure_certvar_credential._cli.output import screen

    run_demo(screen())
