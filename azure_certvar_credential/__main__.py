"""``python -m azure_certvar_credential`` is the command ``certvar``."""

from azure_certvar_credential._cli import main

main()
