// Microsoft's clients for Node.js get a token, and print what they were given as a line of JSON.
// node clients.mjs MODULES managed-identity | certificate | msal

import { createRequire } from "node:module";
import { X509Certificate } from "node:crypto";

const [modules, mode] = process.argv.slice(2);
const require = createRequire(`${modules}/`);
const { ClientCertificateCredential, ManagedIdentityCredential } = require("@azure/identity");
const { ConfidentialClientApplication } = require("@azure/msal-node");

const scope = "https://storage.azure.com/.default";
const { AZURE_TENANT_ID: tenant, AZURE_CLIENT_ID: client, AZURE_AUTHORITY_HOST: authority } = process.env;
const certificate = process.env.AZURE_CLIENT_CERTIFICATE;

const modes = {
    // Twice as many credentials as needed to notice that each would ask for itself.
    "managed-identity": async () => {
        const credentials = Array.from({ length: 10 }, () => new ManagedIdentityCredential());
        const tokens = await Promise.all(credentials.map((credential) => credential.getToken(scope)));
        return { token: tokens[0].token, distinct: new Set(tokens.map(({ token }) => token)).size };
    },
    certificate: async () => {
        const options = { authorityHost: authority, disableInstanceDiscovery: true };
        const credential = new ClientCertificateCredential(tenant, client, { certificate }, options);
        return { token: (await credential.getToken(scope)).token };
    },
    msal: async () => {
        const publicHalf = certificate.slice(certificate.indexOf("-----BEGIN CERTIFICATE-----"));
        const application = new ConfidentialClientApplication({
            auth: {
                clientId: client,
                authority: `${authority}/${tenant}`,
                knownAuthorities: [new URL(authority).host],
                clientCertificate: {
                    thumbprintSha256: new X509Certificate(publicHalf).fingerprint256.replaceAll(":", ""),
                    privateKey: certificate.slice(0, certificate.indexOf("-----BEGIN CERTIFICATE-----")),
                },
            },
        });
        return { token: (await application.acquireTokenByClientCredential({ scopes: [scope] })).accessToken };
    },
};

try {
    console.log(JSON.stringify(await modes[mode]()));
} catch (error) {
    console.log(JSON.stringify({ error: error.message, codes: error.errorResponse?.errorCodes ?? [] }));
    process.exitCode = 1;
}
