"""The local Entra as a server for tests in any language: its log, its page, and the variables that lead to it."""
