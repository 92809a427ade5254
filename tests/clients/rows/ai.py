"""Clients of models and agents."""

from __future__ import annotations

from typing import Final

from tests.clients.row import Row

_SERVICES: Final = "clients/test_services.py::test_the_client_calls_its_service"
_COGNITIVE_SERVICES: Final = "https://cognitiveservices.azure.com/.default"

ROWS: Final = (
    Row(
        "Azure OpenAI",
        "openai",
        "AzureOpenAI(azure_endpoint=endpoint, api_version=version, "
        "azure_ad_token_provider=credential.token_provider(scope))",
        _SERVICES,
        sync="from openai import AzureOpenAI",
        aio="from openai import AsyncAzureOpenAI as AzureOpenAI",
        scope=_COGNITIVE_SERVICES,
    ),
    Row(
        "AI Foundry: projects",
        "azure-ai-projects",
        "AIProjectClient(endpoint, credential)",
        _SERVICES,
        sync="from azure.ai.projects import AIProjectClient",
        aio="from azure.ai.projects.aio import AIProjectClient",
    ),
    Row(
        "AI Foundry: inference",
        "azure-ai-inference",
        "ChatCompletionsClient(endpoint, credential)",
        _SERVICES,
        sync="from azure.ai.inference import ChatCompletionsClient",
        aio="from azure.ai.inference.aio import ChatCompletionsClient",
    ),
    Row(
        "LangChain",
        "langchain-azure-ai",
        "AzureAIOpenAIApiChatModel(endpoint=endpoint, credential=credential, model=deployment)",
        _SERVICES,
        sync="from langchain_azure_ai.chat_models import AzureAIOpenAIApiChatModel",
    ),
)
