// Makes a Postman collection from the description (openapi-to-postmanv2) and lets newman run it as people do who import
// it: first without a token, then as an admin.
//
// Every GET is run. What a call needs beyond the description is in IDS and QUERY; what can't be run is in LEFT_OUT, with
// its reason, and is printed.

const fs = require("node:fs");
const { convert } = require("openapi-to-postmanv2");
const newman = require("newman");

const spec = JSON.parse(fs.readFileSync(process.argv[2], "utf8"));
const base = process.env.BASE_URL;
const code = "TATA-NEXON-BRK-PADF";

// Values of paths and of queries that a call can't do without. They name entries of the sample catalogue.
const IDS = { brand_code: "TATA", model_code: "NEXON", category_code: "BRK", product_code: "PADF", code };
const QUERY = { q: "brake" };
const LEFT_OUT = {
  checkActivation: "the link is in a mail",
  checkReset: "the link is in a mail",
};
const WRITES = "a call that changes something needs a body with values of its own; the tours make these calls";

function operations() {
  return Object.entries(spec.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ ...operation, path, method: method.toUpperCase() })),
  );
}

/** A call is public if it is described without security, or if no security is one of its choices. */
function isPublic(operation) {
  const choices = operation.security ?? spec.security ?? [];
  return choices.length === 0 || choices.some((choice) => Object.keys(choice).length === 0);
}

/** Public by the contract, whatever the description says. */
const isPublicRead = (operation) => operation.path.startsWith("/api/utils/");

async function collection() {
  const options = {
    folderStrategy: "Tags",
    enableOptionalParameters: false,
    requestParametersResolution: "Example",
    requestNameSource: "URL",
  };
  const result = await new Promise((resolve, reject) =>
    convert({ type: "json", data: spec }, options, (error, answer) => (error ? reject(error) : resolve(answer))),
  );
  if (!result.result) throw new Error(`the description can't be converted: ${result.reason}`);
  return result.output[0].data;
}

const requests = (item) => (item.item ? item.item.flatMap(requests) : [item]);

function operationOf(item) {
  const path = `/${item.request.url.path.join("/").replace(/:([a-z_]+)/g, "{$1}")}`;
  const found = operations().find((operation) => operation.path === path && operation.method === item.request.method);
  if (!found) throw new Error(`the collection has a call that the description lacks: ${item.request.method} ${path}`);
  return found;
}

function fillIn(item, ids) {
  const { url } = item.request;
  url.variable.forEach((variable) => (variable.value = ids[variable.key] ?? variable.value));
  const needed = ({ key, disabled }) => !disabled || key === "q";
  url.query = url.query.filter(needed).map((entry) => ({ key: entry.key, value: QUERY[entry.key] ?? entry.value }));
}

/** Runs the calls and returns the faults that `judge` finds in their answers. */
async function run(name, items, token, judge) {
  const whole = {
    info: { name, schema: "https://schema.getpostman.com/json/collection/v2.1.0/collection.json" },
    item: items,
    variable: [
      { key: "baseUrl", value: base },
      { key: "bearerToken", value: token },
    ],
  };
  const summary = await new Promise((resolve, reject) =>
    newman.run({ collection: whole, timeoutRequest: 20_000 }, (error, result) => (error ? reject(error) : resolve(result))),
  );
  const faults = summary.run.executions.flatMap(({ item, response, requestError }) => {
    if (!response) return [`${item.name}: ${requestError}`];
    const fault = judge(items.find(({ id }) => id === item.id).operation, response.code);
    return fault ? [`${fault}: ${item.name} answered ${response.code} ${response.text().slice(0, 160)}`] : [];
  });
  console.log(`postman, ${name}: ${summary.run.executions.length} calls, ${faults.length} faults`);
  faults.forEach((fault) => console.log(`  ${fault}`));
  return faults;
}

async function call(path, token, body) {
  const headers = { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) };
  const answer = await fetch(base + path, { method: body ? "POST" : "GET", headers, body: body && JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

async function main() {
  const { access, user } = await call("/api/auth/login/", undefined, {
    phone_number: process.env.ADMIN_PHONE,
    password: process.env.ADMIN_PASSWORD,
  });
  const converted = requests(await collection());
  const known = operations();
  const all = converted.map((item) => ({ ...item, operation: operationOf(item) }));
  const described = new Set(known.map(({ operationId }) => operationId));
  all.forEach(({ operation }) => described.delete(operation.operationId));
  const missing = [...described].map((name) => `the collection lacks ${name}`);
  missing.forEach((fault) => console.log(fault));

  const reads = all.filter(({ request, operation }) => request.method === "GET" && !LEFT_OUT[operation.operationId]);
  reads.forEach((item) => fillIn(item, { ...IDS, user_id: user._id, id: user._id }));

  // The token is left empty, as Postman leaves it. A call that doesn't need one must not look as if it did.
  const asVisitor = await run("without a token", reads, "", (operation, status) => {
    if (isPublicRead(operation)) return status === 200 ? undefined : "a public read fails";
    if (isPublic(operation)) return status < 400 ? undefined : "a call described as public fails";
    return status === 401 ? undefined : "a call described as protected isn't";
  });
  const notPublic = known.filter((operation) => isPublicRead(operation) && !isPublic(operation));
  notPublic.forEach(({ operationId }) => console.log(`  ${operationId}: is public, but described as needing a token`));
  const asAdmin = await run("as an admin", reads, access, (_, status) => (status === 200 ? undefined : "a read fails"));

  console.log("not run:");
  Object.entries(LEFT_OUT).forEach(([name, reason]) => console.log(`  ${name}: ${reason}`));
  console.log(`  ${all.filter(({ request }) => request.method !== "GET").length} calls: ${WRITES}`);
  process.exitCode = asVisitor.length + asAdmin.length + notPublic.length + missing.length ? 1 : 0;
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
