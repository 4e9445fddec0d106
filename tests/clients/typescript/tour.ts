// The tour of README.md with a client whose types are made from openapi/openapi.json (openapi-typescript).
// Much of it is checked by the compiler: `tsc --strict` fails when the description says less than the server does.

import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import createClient, { type Middleware } from "openapi-fetch";
import type { components, operations, paths } from "./schema.js";

const api = createClient<paths>({ baseUrl: process.env["BASE_URL"] ?? "http://localhost:8000" });
let access: string | undefined;
let calls = 0;
const bearer: Middleware = {
  onRequest({ request }) {
    calls += 1;
    if (access) request.headers.set("authorization", `Bearer ${access}`);
  },
};
api.use(bearer);

// What the description must say, as types.

type IsTrue<T extends true> = T;
type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
type IsRequired<T, K extends keyof T> = T extends Required<Pick<T, K>> ? true : false;
type Json<Response> = Response extends { content: infer Content }
  ? Content[keyof Content & `application/json${string}`]
  : never;
type Answer<Operation extends keyof operations, Status extends keyof operations[Operation]["responses"]> = Json<
  operations[Operation]["responses"][Status]
>;
type Body<Operation extends keyof operations> = Json<NonNullable<operations[Operation]["requestBody"]>>;
type Query<Operation extends keyof operations> = NonNullable<operations[Operation]["parameters"]["query"]>;

export type Expectations = [
  // A cursor is null on the last page, and always there.
  IsTrue<Equal<Answer<"listBrands", 200>["next_cursor"], string | null>>,
  IsTrue<Equal<Answer<"listProducts", 200>["next_cursor"], string | null>>,
  IsTrue<Equal<Answer<"searchCatalogue", 200>["next_cursor"], string | null>>,
  // What may be null in other answers.
  IsTrue<Equal<Answer<"readAccount", 200>["email"], string | null>>,
  IsTrue<Equal<Answer<"readProductByCode", 200>["product"]["price_until"], string | null>>,
  // Bodies say what they need, and numbers are numbers.
  IsTrue<IsRequired<Body<"register">, "username" | "password">>,
  IsTrue<IsRequired<Body<"login">, "phone_number" | "password">>,
  IsTrue<IsRequired<Body<"setCartItem">, "quantity">>,
  // Parameters have types.
  IsTrue<Equal<Query<"listBrands">["limit"], number | undefined>>,
  IsTrue<Equal<Query<"searchCatalogue">["in_stock"], boolean | undefined>>,
  IsTrue<Equal<Query<"searchCatalogue">["sort"], "relevance" | "price" | "-price" | "newest" | undefined>>,
  // The query of a search is not optional.
  IsTrue<IsRequired<Query<"searchCatalogue">, "q">>,
];

/** Returns what a call answered, and ends the tour if it was refused. */
function good<Data>(answer: { data?: Data; error?: unknown; response: Response }): Data {
  assert.ok(answer.data !== undefined, `${answer.response.status} ${answer.response.url}: ${JSON.stringify(answer.error)}`);
  return answer.data;
}

/** Returns an error whose type is the one that the description has for this status of this operation. */
function refused<Operation extends keyof operations, Status extends keyof operations[Operation]["responses"] & number>(
  _operation: Operation,
  status: Status,
  answer: { error?: unknown; response: Response },
): Answer<Operation, Status> {
  assert.equal(answer.response.status, status, JSON.stringify(answer.error));
  return answer.error as Answer<Operation, Status>;
}

/** Returns the refresh token that an answer sets. Node.js keeps no cookies. */
function refreshCookie(response: Response): string {
  const cookie = response.headers.getSetCookie().find((line) => line.startsWith("refresh_token="));
  assert.ok(cookie, "no refresh cookie");
  return cookie.slice(0, cookie.indexOf(";"));
}

async function signUp(): Promise<{ user: components["schemas"]["User"]; cookie: string }> {
  const number = String(9_000_000_000 + randomInt(999_999_999));
  const account = { username: `Asha ${number}`, password: "Br4ke-pads!", phone_number: number };
  good(await api.POST("/api/auth/register/", { body: account }));

  const again = await api.POST("/api/auth/register/", { body: account });
  const taken = refused("register", 409, again);
  assert.equal(taken.code satisfies components["schemas"]["ErrorCode"], "phone_number_taken");

  const faulty = await api.POST("/api/auth/register/", { body: { ...account, username: "<>", phone_number: "12" } });
  const fields: Record<string, string> = refused("register", 400, faulty).fields ?? {};
  assert.deepEqual(Object.keys(fields).sort(), ["phone_number", "username"]);

  const wrong = await api.POST("/api/auth/login/", { body: { phone_number: number, password: "Wr0ng-pads!" } });
  assert.equal(refused("login", 401, wrong).error, "invalid credentials");
  // @ts-expect-error The description has no 418 for this call.
  assert.throws(() => refused("login", 418, wrong));

  const answer = await api.POST("/api/auth/login/", { body: { phone_number: number, password: account.password } });
  const signedIn = good(answer);
  access = signedIn.access;
  const me = good(await api.GET("/api/accounts/me/"));
  assert.equal(me._id, signedIn.user._id);
  assert.equal(me.email, null);
  return { user: signedIn.user, cookie: refreshCookie(answer.response) };
}

/** Reads all brands, a page at a time. Without null in the type of `next_cursor`, this loop wouldn't compile. */
async function allBrands(): Promise<string[]> {
  const codes: string[] = [];
  let cursor: string | null | undefined;
  for (let pages = 1; cursor !== null; pages += 1) {
    assert.ok(pages < 100, "the pages have no end");
    const query: Query<"listBrands"> = cursor === undefined ? { limit: 3 } : { limit: 3, cursor };
    const page: Answer<"listBrands", 200> = good(await api.GET("/api/utils/brands/", { params: { query } }));
    codes.push(...page.brands.map((brand) => brand.brand_code));
    cursor = page.next_cursor satisfies string | null;
  }
  return codes;
}

async function browse(): Promise<components["schemas"]["Product"]> {
  const codes = await allBrands();
  assert.equal(new Set(codes).size, codes.length, "a brand is on two pages");
  assert.ok(codes.length > 3 && codes.includes("TATA"), codes.join());

  const path = { brand_code: "TATA", model_code: "NEXON", category_code: "BRK" };
  const list = "/api/utils/brands/{brand_code}/models/{model_code}/categories/{category_code}/products/";
  const { products } = good(await api.GET(list, { params: { path, query: { limit: 2 } } }));
  assert.equal(products.length, 2);
  const [product] = products;
  assert.ok(product);

  const found = good(
    await api.GET("/api/utils/search/", {
      params: { query: { q: "pad brake", brand: "TATA", in_stock: true, sort: "price", limit: 2 } },
    }),
  );
  assert.ok(found.results.every((result) => result.stock > 0));

  const nowhere = await api.GET("/api/utils/brands/{brand_code}/", { params: { path: { brand_code: "NOWHERE" } } });
  assert.equal(refused("readBrand", 404, nowhere).code, "brand_not_found");
  return product;
}

async function shop(user_id: string, product: components["schemas"]["Product"]): Promise<void> {
  const path = { user_id, product_id: product._id };
  const quantityOf = (reply: { cart: components["schemas"]["Cart"] }) => reply.cart.items[0]?.quantity;

  const add = "/api/client/{user_id}/cart/add/{product_id}/";
  assert.equal(quantityOf(good(await api.POST(add, { params: { path }, body: { quantity: 2 } }))), 2);
  const remove = "/api/client/{user_id}/cart/remove/{product_id}/";
  assert.equal(quantityOf(good(await api.DELETE(remove, { params: { path } }))), 1);
  const set = "/api/client/{user_id}/cart/items/{product_id}/";
  const { cart } = good(await api.PUT(set, { params: { path }, body: { quantity: 3 } }));
  assert.equal(cart.subtotal, (cart.items[0]?.unit_price ?? NaN) * 3);
  const tooMuch = await api.PUT(set, { params: { path }, body: { quantity: 1_000 } });
  assert.ok("quantity" in (refused("setCartItem", 400, tooMuch).fields ?? {}));
  assert.deepEqual(good(await api.GET("/api/client/{user_id}/cart/", { params: { path } })).cart.items, cart.items);

  const body = { name: "Asha Rao", address_line1: "12 MG Road", city: "Pune", pincode: "411001" };
  const saved = good(await api.PUT("/api/client/{user_id}/address/update/", { params: { path }, body }));
  assert.equal(saved.address.city, "Pune");
  const { address } = good(await api.GET("/api/client/{user_id}/address/", { params: { path } }));
  assert.equal(address.pincode, "411001");
}

async function leave(user_id: string, cookie: string): Promise<void> {
  const answer = await api.POST("/api/auth/refresh/", { headers: { cookie } });
  access = good(answer).access;
  good(await api.POST("/api/auth/logout/", { headers: { cookie: refreshCookie(answer.response) } }));
  const afterwards = await api.GET("/api/client/{user_id}/cart/", { params: { path: { user_id } } });
  assert.equal(refused("readCart", 401, afterwards).code, "invalid_access_token");
}

const { user, cookie } = await signUp();
await shop(user._id, await browse());
await leave(user._id, cookie);
console.log(`typescript: the tour of ${calls} calls went well`);
