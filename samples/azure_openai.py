"""Ask a model of Azure OpenAI a question, with a token in the place of an API key.

Install, in a clone of this repository:

    pip install '.[testing]' openai

Set in the environment, or run it with --local:

    AZURE_TENANT_ID          the tenant's GUID or domain name
    AZURE_CLIENT_ID          the 'Application (client) ID' of the app registration
    APP_CERT                 certificate and private key: PEM, or base64 of a PFX
    AZURE_OPENAI_ENDPOINT    such as https://contoso.openai.azure.com
    AZURE_OPENAI_DEPLOYMENT  the name of a deployment of a chat model

The application needs the role 'Cognitive Services OpenAI User'. The client calls the token provider before each
request; after the first it answers from the cache. AsyncAzureOpenAI takes that of the asynchronous credential.
The sample prints, with --local:

    user: What is the capital of France?
    assistant: Paris.
"""

import os
import sys

from openai import AzureOpenAI

import local
from azure_certvar_credential import CertVarCredential


def main() -> None:
    """Ask, and print question and answer."""
    names = os.environ["AZURE_TENANT_ID"], os.environ["AZURE_CLIENT_ID"], os.environ["APP_CERT"]
    with (
        CertVarCredential(*names) as credential,
        AzureOpenAI(
            azure_endpoint=os.environ["AZURE_OPENAI_ENDPOINT"],
            azure_ad_token_provider=credential.token_provider("https://cognitiveservices.azure.com/.default"),
            api_version="2024-10-21",
        ) as client,
    ):
        question = "What is the capital of France?"
        answer = client.chat.completions.create(
            model=os.environ["AZURE_OPENAI_DEPLOYMENT"], messages=[{"role": "user", "content": question}]
        )
        print(f"user: {question}\nassistant: {answer.choices[0].message.content}")


if __name__ == "__main__":
    if "--local" in sys.argv:
        local.start()
    main()
