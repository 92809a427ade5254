// A strict OpenID provider on loopback TLS, for tests of client assertions: npm's oidc-provider, configured and started.
//
// usage: node oidc_provider.mjs OPTIONS, where OPTIONS is JSON with
//   modules   directory whose node_modules holds oidc-provider
//   cert, key paths of the PEM files of the server's TLS certificate
//   tenant    first path segment of the token endpoint, as in Entra's /{tenant}/oauth2/v2.0/token
//   audience  "token_endpoint", or "issuer" with the typ of the update of RFC 7523, as FAPI 2.0 wants
//   tokenLifetime  seconds for which an access token is valid
// Prints one line of JSON, {"issuer": …, "token_endpoint": …}, when it listens, and one for each refusal.
// Clients register themselves at /reg (RFC 7591). Ends with its standard input, so it never outlives the test run.

import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const options = JSON.parse(process.argv[2]);
const require = createRequire(`${options.modules}/`);
const { Provider, errors } = await import(pathToFileURL(require.resolve('oidc-provider')));

const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512'];
const SUFFIX = '/.default';
const tokenRoute = `/${options.tenant}/oauth2/v2.0/token`;

const server = createServer({ cert: readFileSync(options.cert), key: readFileSync(options.key) });
await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
const origin = `https://localhost:${server.address().port}`;
const issuer = `${origin}/${options.tenant}/v2.0`;
const tokenEndpoint = `${origin}${tokenRoute}`;

// Beyond what oidc-provider itself checks: it would also take the issuer as audience (RFC 7523 section 3 leaves that to
// the server), an absent nbf, times with a fraction, and any header.
function assertStrictAssertion(_ctx, claims, header) {
  const refuse = (detail) => { throw new errors.InvalidClientAuth(detail); };
  const forIssuer = options.audience === 'issuer';
  if (claims.aud !== (forIssuer ? issuer : tokenEndpoint)) refuse(`audience (aud) must be the ${options.audience}, as one string`);
  for (const name of ['iat', 'nbf', 'exp']) {
    if (!Number.isInteger(claims[name])) refuse(`${name} must be an integer`);
  }
  if (claims.exp - claims.nbf > 600) refuse('the assertion must not live longer than 600 seconds');
  if (claims.sub !== claims.iss) refuse('sub must equal iss');
  const typ = forIssuer ? 'client-authentication+jwt' : 'JWT';
  if (header.typ !== typ) refuse(`typ must be ${typ}`);
}

const provider = new Provider(issuer, {
  clockTolerance: 0,
  clientAuthMethods: ['private_key_jwt'],
  enabledJWA: { clientAuthSigningAlgValues: ALGORITHMS },
  assertJwtClientAuthClaimsAndHeader: assertStrictAssertion,
  jwks: { keys: [{ ...generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' }), use: 'sig' }] },
  routes: { token: tokenRoute, registration: '/reg', jwks: '/jwks' },
  responseTypes: [],
  scopes: [],
  ttl: { ClientCredentials: options.tokenLifetime },
  features: {
    devInteractions: { enabled: false },
    userinfo: { enabled: false },
    clientCredentials: { enabled: true },
    registration: { enabled: true, idFactory: () => randomUUID(), issueRegistrationAccessToken: false },
    resourceIndicators: {
      enabled: true,
      // Entra names the resource inside the scope: api://something/.default.
      defaultResource(ctx) {
        const { scope } = ctx.oidc.params;
        return scope?.endsWith(SUFFIX) && !scope.includes(' ') ? scope.slice(0, -SUFFIX.length) : undefined;
      },
      getResourceServerInfo: (_ctx, resource) => ({
        scope: `${resource}${SUFFIX}`,
        audience: resource,
        accessTokenFormat: 'jwt',
        jwt: { sign: { alg: 'RS256' } },
      }),
    },
  },
});

// oidc-provider answers every failed authentication with the same words and keeps the reason to itself. Tests need the
// reason, or one that is refused for the wrong cause would pass.
provider.on('grant.error', (ctx, err) => {
  const detail = err.error_detail ?? 'no detail';
  ctx.body = { ...ctx.body, error_description: `${err.error_description} (${detail})` };
  console.log(JSON.stringify({ refused: err.error, detail }));
});
provider.on('server_error', (_ctx, err) => { console.log(err.stack); });

// It knows its metadata at the root only; OpenID Connect Discovery section 4 has it below the issuer's path.
const WELL_KNOWN = '/.well-known/openid-configuration';
const answer = provider.callback();
server.on('request', (request, response) => {
  if (request.url === new URL(issuer).pathname + WELL_KNOWN) request.url = WELL_KNOWN;
  answer(request, response);
});
console.log(JSON.stringify({ issuer, token_endpoint: tokenEndpoint }));
process.stdin.resume().on('end', () => process.exit(0));
