"""Clients that close their credential, transports that were never used, and texts that tell credentials apart."""

from __future__ import annotations

import asyncio
import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from azure.core.pipeline.transport import HttpTransport, RequestsTransport
from azure.identity import ChainedTokenCredential
from azure.identity.aio import ChainedTokenCredential as AsyncChainedTokenCredential
from fsspec.spec import AbstractFileSystem

from azure_certvar_credential import CertVarCredential, ClientCertificate, FederatedCredential, aio
from azure_certvar_credential.exceptions import CredentialClosedError
from azure_certvar_credential.msal import MsalCertVarCredential
from azure_certvar_credential.testing import EntraEmulator
from tests.credential.test_pickle import importable_source
from tests.credential.users import user_assertion
from tests.credential.world import STORAGE, Driver, World
