// A certified OpenID provider on this machine's loopback. Arguments: the address that people come back to, and where they land after a logout.
// It prints its issuer, and then takes lines of JSON that say in which groups somebody is: {"zoe": ["ml-admins"]}.
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import Provider from "oidc-provider";

const [redirect, after] = process.argv.slice(2);
const groups = new Map();
const server = createServer();
server.listen(0, "127.0.0.1", () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: "openvet",
        client_secret: "a secret: with + and %",
        redirect_uris: [redirect],
        post_logout_redirect_uris: [after],
        response_types: ["code"],
        grant_types: ["authorization_code"],
      },
    ],
    pkce: { required: () => true },
    claims: { openid: ["sub"], profile: ["name", "preferred_username"], email: ["email"], groups: ["groups"] },
    scopes: ["openid", "profile", "email", "groups"],
    findAccount: (_, id) => ({
      accountId: id,
      claims: () => ({ sub: id, name: `${id} by name`, preferred_username: id, email: `${id}@example.com`, groups: groups.get(id) ?? [] }),
    }),
  });
  server.on("request", provider.callback());
  console.log(issuer);
});
createInterface({ input: process.stdin }).on("line", (line) => {
  for (const [name, list] of Object.entries(JSON.parse(line))) groups.set(name, list);
  console.log("taken");
});
