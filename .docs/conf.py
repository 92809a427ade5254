"""How Sphinx builds the guides and the API reference; CONTRIBUTING.md has the command."""

from __future__ import annotations

from azure_certvar_credential import __version__

project = "azure-certvar-credential"
author = "its contributors"
release = version = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc"]
# A reference that leads nowhere is a warning, and warnings are errors.
nitpicky = True
nitpick_ignore_regex = [
    # Other projects' documentation is on other hosts, which no build may need.
    (r"py:.*", r"(azure\.core|collections|cryptography|datetime|opentelemetry|os|pathlib|x509)\..*"),
    # Types that annotations name and nobody imports.
    (r"py:class", r"azure_certvar_credential\.(_runtime|certificates\.data|testing)\..*"),
    (r"py:class", r"(CertificateData|Emulator|PKCS12Certificate|PrivateKey|PublicKeyData|RedisClient|Source|R|\w+T)"),
]

html_theme = "furo"
html_title = project
# The page that its source is copied to would show the directives of Sphinx.
html_copy_source = False
# Dark and light follow the reader's system; a button changes it.
html_static_path = ["static"]
html_css_files = ["narrow.css"]
html_theme_options = {"navigation_with_keys": False}

myst_heading_anchors = 3
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
autodoc_typehints_format = "short"
# The column of contents is narrow: methods without their class.
toc_object_entries_show_parents = "hide"
autodoc_member_order = "groupwise"
maximum_signature_line_length = 88
