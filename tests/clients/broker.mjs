// An AMQP 1.0 broker with claims-based security, as Service Bus and Event Hubs have it: a connection may send and receive
// while a token that it has put on $cbs is valid. A transfer after the token's end ends the link.
//
// node broker.mjs CERTIFICATE KEY MODULES: the certificate and key for TLS, and where rhea is. The key set of the tokens'
// issuer is the first line of standard input, JSON; each further line is an offset to this computer's clock, in seconds.
// Everything that happens is a line of standard output, JSON.

import { createPublicKey, verify } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const [certificate, key, modules] = process.argv.slice(2);
const require = createRequire(`${modules}/`);
const rhea = require("rhea");
const audiences = { "https://servicebus.azure.net": "queue", "https://eventhubs.azure.net": "hub" };
const keys = new Map();
const queues = new Map(); // by address: the messages that nobody has received yet
const waiting = new Map(); // by address: the links of those who receive
let offset = 0;

// Azure's services write these fields, and the client of Event Hubs reads them without looking whether a frame has them.
const frames = require("rhea/lib/frames.js");
const properties = { product: "broker" };
const written = {
    open: { idle_time_out: 240000, max_frame_size: 65536, properties },
    begin: { handle_max: 255, properties },
    attach: { properties },
    transfer: { batchable: true },
};
for (const [name, fields] of Object.entries(written)) {
    const make = frames[name];
    frames[name] = (given) => make({ ...given, ...fields });
}

const say = (event) => process.stdout.write(`${JSON.stringify(event)}\n`);
const now = () => Date.now() / 1000 + offset;

// Returns the claims of a token, or throws an error that says what is wrong with it.
function verified(token) {
    const [header, claims] = token.split(".", 2).map((part) => JSON.parse(Buffer.from(part, "base64url")));
    const [signed, signature] = [token.slice(0, token.lastIndexOf(".")), token.slice(token.lastIndexOf(".") + 1)];
    const publicKey = keys.get(header.kid);
    if (header.alg !== "RS256" || !publicKey) throw new Error("unknown key");
    if (!verify("sha256", Buffer.from(signed), publicKey, Buffer.from(signature, "base64url"))) {
        throw new Error("wrong signature");
    }
    if (!(claims.aud.replace(/\/$/, "") in audiences)) throw new Error(`audience ${claims.aud}`);
    if (claims.iss !== `https://sts.windows.net/${claims.tid}/`) throw new Error(`issuer ${claims.iss}`);
    if (!(claims.nbf <= now() && now() < claims.exp)) throw new Error("not valid at this time");
    return claims;
}

function putToken(connection, message) {
    let [status, description] = [202, "Accepted"];
    try {
        const { operation, type } = message.application_properties;
        if (operation !== "put-token" || type !== "jwt") throw new Error(`${operation} of ${type}`);
        const claims = verified(message.body.toString());
        connection.validUntil = claims.exp;
        say({ put: claims.uti, audience: claims.aud, appid: claims.appid });
    } catch (error) {
        [status, description] = [401, error.message];
        say({ refused: error.message });
    }
    connection.cbs.send({
        correlation_id: rhea.types.wrap_uuid(message.message_id),
        application_properties: { "status-code": rhea.types.wrap_int(status), "status-description": description },
        body: "",
    });
}

function deliver(address) {
    const [messages, links] = [queues.get(address) ?? [], waiting.get(address) ?? []];
    for (const link of links) {
        while (messages.length && link.sendable()) link.send(messages.shift(), Buffer.from(crypto.randomUUID().slice(0, 16)));
    }
}

// Azure's clients take an answer without a source or a target for a refusal.
function answer(link) {
    link.set_source(link.source ?? { address: "client" });
    link.set_target(link.target ?? { address: "client" });
}

const pathOf = (address) => address.replace(/^amqps?:\/\/[^/]+\//, "");

rhea.sasl_server_mechanisms.enable_anonymous();
rhea.options.receiver_options = { max_message_size: 1048576 };
rhea.on("sender_open", ({ sender, connection }) => {
    const address = pathOf(sender.source.address);
    answer(sender);
    if (address === "$cbs") connection.cbs = sender;
    else waiting.set(address, [...(waiting.get(address) ?? []), sender]);
});
rhea.on("sendable", ({ sender }) => deliver(pathOf(sender.source.address)));
rhea.on("sender_close", ({ sender }) => {
    const address = pathOf(sender.source.address);
    waiting.set(address, (waiting.get(address) ?? []).filter((each) => each !== sender));
});
rhea.on("receiver_open", ({ receiver }) => answer(receiver));
rhea.on("message", ({ receiver, connection, message, delivery }) => {
    const address = pathOf(receiver.target.address);
    if (address === "$cbs") return putToken(connection, message);
    if (!(connection.validUntil > now())) {
        say({ expired: address });
        delivery.reject({ condition: "amqp:unauthorized-access", description: "ExpiredToken" });
        return receiver.close({ condition: "amqp:unauthorized-access", description: "ExpiredToken" });
    }
    say({ sent: address });
    queues.set(address, [...(queues.get(address) ?? []), message]);
    deliver(address);
});
// Service Bus's client waits for the broker to settle what it has accepted.
rhea.on("accepted", ({ delivery }) => delivery.update(true, rhea.message.accepted().described()));
rhea.on("disconnected", () => {}); // or rhea takes the end of a connection for an error that nobody handles
rhea.on("error", (error) => say({ error: String(error) }));

createInterface({ input: process.stdin }).on("line", (line) => {
    if (keys.size) {
        offset = Number(line);
        return say({ offset });
    }
    for (const jwk of JSON.parse(line).keys) keys.set(jwk.kid, createPublicKey({ key: jwk, format: "jwk" }));
    const server = rhea.listen({
        host: "127.0.0.1",
        port: 0,
        transport: "tls",
        cert: readFileSync(certificate),
        key: readFileSync(key),
    });
    server.on("listening", () => say({ port: server.address().port }));
});
