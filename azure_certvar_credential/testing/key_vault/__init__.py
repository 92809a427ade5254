"""The local Azure Key Vault. It takes the tokens of a local Entra."""
