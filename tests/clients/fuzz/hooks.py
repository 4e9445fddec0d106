"""What schemathesis can't know from the description: who calls, the ids that exist, and which refusals are fair.

ACTOR says who calls: anonymous, customer, staff or admin. Each hook says why it is there.
"""

import collections
import itertools
import json
import os

import requests
import schemathesis

BASE = os.environ["BASE_URL"]
ACTOR = os.environ["ACTOR"]
PASSWORD = "Br4ke-pads!"
NUMBERS = itertools.count(9_100_000_000 + 1_000_000 * ["anonymous", "customer", "staff", "admin"].index(ACTOR))

# These calls end the session or the account that makes them, so each gets an account of its own.
ENDING = {
    "changePassword",
    "deleteAccount",
    "endSession",
    "logout",
    "logoutAll",
    "patchAccount",
    "refresh",
    "refreshToken",
    "updateAccount",
}
# Calls of admins that end what they name.
ENDING_NAMED = {"changeUser", "logoutUser", "unlockUser"}
# What these calls change or delete is no part of the catalogue that all other calls use.
APART = {
    "deleteBrand": {"brand_code": "ENFIELD"},
    "deleteModel": {"brand_code": "KIA", "model_code": "SELTOS"},
    "deleteCategory": {"brand_code": "TOYOTA", "model_code": "INNOVA"},
    "deleteProduct": {"brand_code": "HONDA", "model_code": "CITY"},
    "updateProduct": {"brand_code": "MARUTI", "model_code": "SWIFT"},
}
# Headers of any answer of any server; the description has no need to name them.
USUAL_HEADERS = set(
    "access-control-allow-credentials access-control-allow-origin access-control-expose-headers allow cache-control"
    " connection content-length content-type cross-origin-resource-policy date keep-alive referrer-policy"
    " transfer-encoding vary x-content-type-options x-frame-options content-security-policy".split()
)


def call(method, path, token=None, **body):
    headers = {"authorization": f"Bearer {token}"} if token else {}
    answer = requests.request(method, BASE + path, headers=headers, json=body or None, timeout=20)
    assert answer.ok, (path, answer.status_code, answer.text)
    return answer


class Session:
    """A signed-in account with the role of the actor."""

    def __init__(self):
        number = str(next(NUMBERS))
        answer = call("POST", "/api/auth/register/", username=f"Asha {number}", password=PASSWORD, phone_number=number)
        self.user_id = answer.json()["user"]["_id"]
        self.access = answer.json()["access"]
        self.refresh = answer.cookies["refresh_token"]
        if ACTOR in ("staff", "admin"):
            call("PATCH", f"/api/admin/users/{self.user_id}/", BOSS, role=ACTOR)


def boss():
    sign_in = {"phone_number": os.environ["ADMIN_PHONE"], "password": os.environ["ADMIN_PASSWORD"]}
    return call("POST", "/api/auth/login/", **sign_in).json()["access"]


BOSS = boss()
LASTING = None if ACTOR == "anonymous" else Session()
PRODUCT = call("GET", "/api/utils/products/TATA-NEXON-BRK-PADF/").json()["product"]["_id"]


def operation_id(operation):
    return operation.definition.raw["operationId"]


def ids(name):
    """Returns ids and codes of what exists. Generated ones name nothing, so the 404 would be all that is tried."""
    codes = {"brand_code": "TATA", "model_code": "NEXON", "category_code": "BRK", "product_code": "PADF"}
    mine = LASTING.user_id if LASTING else None
    known = {"code": "TATA-NEXON-BRK-PADF", "product_id": PRODUCT, "user_id": mine, "id": mine}
    if name in ENDING_NAMED:
        known["id"] = Session().user_id
    if name == "withdrawInvitation":
        address = f"asha{next(NUMBERS)}@example.com"
        known["id"] = call("POST", "/api/admin/staff/invites/", BOSS, email=address).json()["invitation"]["_id"]
    return codes | known | APART.get(name, {})


def can_be_sent(headers):
    """Python refuses to send a header with a line break or with letters beyond Latin-1."""
    texts = [str(value) for value in (headers or {}).values()]
    return all(text.isprintable() and text.isascii() and text == text.lstrip() for text in texts)


@schemathesis.hook
def filter_headers(context, headers):
    return can_be_sent(headers)


@schemathesis.hook
def filter_cookies(context, cookies):
    return can_be_sent(cookies)


TURNS = collections.Counter()


@schemathesis.hook
def map_case(context, case):
    """Every fifth case of a call keeps the generated ids."""
    name = operation_id(case.operation)
    path = {place.value: part for place, part in case.meta.components.items()}.get("path") if case.meta else None
    if not case.path_parameters or (path and path.mode.is_negative):
        return case
    TURNS[name] += 1
    if TURNS[name] % 5:
        known = ids(name)
        case.path_parameters = {key: known.get(key) or value for key, value in case.path_parameters.items()}
    return case


# Access tokens live for 15 minutes, longer than a run.
@schemathesis.auth(refresh_interval=None)
class Bearer:
    def get(self, case, context):
        if ACTOR == "anonymous":
            return None
        return Session() if operation_id(context.operation) in ENDING else LASTING

    def set(self, case, session, context):
        if session is None:
            return
        case.headers["Authorization"] = f"Bearer {session.access}"
        if operation_id(context.operation) == "endSession" and len(case.path_parameters.get("id", "")) == 24:
            sessions = call("GET", "/api/auth/sessions/", session.access).json()["sessions"]
            case.path_parameters["id"] = sessions[0]["_id"]
        if operation_id(context.operation) in ("logout", "refresh", "refreshToken"):
            case.cookies["refresh_token"] = session.refresh


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """A refusal of what fits the description is fair if the description shows it: an example of this status of this
    call has the same sentence, or the same code where the code says more than that the input is wrong."""
    if type(failure).__name__ != "RejectedPositiveData":
        return True
    try:
        answer = response.json()
    except ValueError:
        return True
    described = case.operation.definition.raw["responses"].get(str(response.status_code), {})
    return not any(
        example.get("error") == answer.get("error")
        or (example.get("code") == answer.get("code") and answer.get("code") not in ("invalid_input", "invalid_body"))
        for example in examples(described)
    )


@schemathesis.check
def no_undescribed_headers(context, response, case):
    """schemathesis looks for the headers that are described; this check looks at those that aren't."""
    described = case.operation.definition.raw["responses"].get(str(response.status_code))
    if described is None:
        return
    known = USUAL_HEADERS | {name.lower() for name in described.get("headers", {})}
    surplus = sorted(set(response.headers) - known)
    if surplus:
        raise AssertionError(f"{response.status_code} has headers that aren't described: {', '.join(surplus)}")


def as_text(context, value):
    return value.encode() if isinstance(value, str) else json.dumps(value).encode()


for media_type in ("text/csv", "application/x-ndjson"):
    schemathesis.serializer(media_type)(as_text)


def examples(response):
    for content in response.get("content", {}).values():
        shown = [entry.get("value") for entry in content.get("examples", {}).values()] + [content.get("example")]
        yield from (example for example in shown if isinstance(example, dict))
