"""Checks of openapi/openapi.json that no linter has, and the figures of the description.

    spec_checks.py SPEC [--figures]

Each finding is one line, "rule: place". The program ends with 1 if there is any. --figures prints the figures only.
"""

import collections
import json
import re
import sys

METHODS = {"get", "put", "post", "patch", "delete"}
# Names that mean something else in TypeScript or Python, so that a generated client would hide it.
TAKEN_NAMES = set(
    "Any Array Blob Boolean Date Dict Enum Error Event Exception Exclude Extract File FormData Function Headers List"
    " Map None Number Object Omit Optional Partial Pick Promise Proxy Readonly Record RegExp Request Required Response"
    " Set String Symbol Tuple Type URL Union Unset Warning".split()
)
# Bodies in which every field may be left out.
NOTHING_IS_REQUIRED = {
    "addToCart": "quantity is 1 if it is left out",
    "refreshToken": "browsers send the cookie in place of the body",
    "requestStaff": "the mail goes to the account's own address if none is given",
}
BOUNDS = {"enum", "format", "pattern", "maxLength", "minLength"}


class Checks:
    def __init__(self, spec):
        self.spec = spec
        self.findings = []
        self.figures = collections.Counter()

    def found(self, rule, place):
        self.findings.append((rule, place))

    def resolved(self, schema):
        while "$ref" in schema:
            schema = self.spec["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
        return schema

    def run(self):
        for name, schema in self.spec["components"]["schemas"].items():
            if name in TAKEN_NAMES:
                self.found("name-is-taken", name)
            self.schema(schema, name)
        for path, methods in self.spec["paths"].items():
            for method in METHODS & set(methods):
                self.operation(methods[method], path)

    def schema(self, schema, place):
        self.figures["schemas with required"] += bool(schema.get("required"))
        for part in schema.get("allOf", []):
            if not {"$ref", "properties", "type"} & set(part):
                self.found("all-of-wraps-a-description", place)
        for name, field in schema.get("properties", {}).items():
            self.figures["fields"] += 1
            self.figures["nullable fields"] += bool(field.get("nullable"))
            if re.search(r"\bnull\b", field.get("description", "")) and not field.get("nullable"):
                self.found("null-is-not-in-the-type", f"{place}.{name}")
            self.schema(field, f"{place}.{name}")
        for part in ("items", "additionalProperties"):
            if isinstance(schema.get(part), dict):
                self.schema(schema[part], f"{place}[]")

    def operation(self, operation, path):
        name = operation["operationId"]
        self.figures["operations"] += 1
        self.figures["operations with security"] += "security" in operation
        if "security" not in operation:
            self.found("security-is-not-said", name)
        for parameter in operation.get("parameters", []):
            self.parameter(parameter, f"{name}.{parameter['name']}")
        if "requestBody" in operation:
            self.body(operation["requestBody"], name)
        for status, response in operation["responses"].items():
            self.response(status, response, name)

    def parameter(self, parameter, place):
        schema = self.resolved(parameter["schema"])
        kind = f"{parameter['in']} parameters"
        is_typed = schema.get("type") != "string" or bool(BOUNDS & set(schema))
        self.figures[kind] += 1
        self.figures[f"{kind} with a type or a bound"] += is_typed
        if not is_typed:
            self.found("parameter-takes-any-text", place)
        if not {"example", "examples"} & set(parameter) and "example" not in schema:
            self.found("parameter-without-example", place)

    def body(self, body, name):
        for media, content in body["content"].items():
            schema = self.resolved(content.get("schema", {}))
            if schema.get("type") != "object":
                continue
            says = bool(schema.get("required") or schema.get("minProperties"))
            self.figures["request bodies"] += 1
            self.figures["request bodies that say what is required"] += says
            if not says and name not in NOTHING_IS_REQUIRED:
                self.found("body-requires-nothing", f"{name} ({media})")
            for field, rule in schema.get("properties", {}).items():
                rule = self.resolved(rule)
                if rule.get("type") == "string" and not BOUNDS - {"minLength"} & set(rule):
                    self.found("body-field-takes-any-text", f"{name}.{field}")
                if rule.get("type") in ("number", "integer") and "maximum" not in rule:
                    self.found("body-field-takes-any-number", f"{name}.{field}")

    def response(self, status, response, name):
        headers = {header.lower() for header in response.get("headers", {})}
        needed = {"x-request-id"}
        needed |= {"401": {"www-authenticate"}, "429": {"retry-after"}, "503": {"retry-after"}}.get(status, set())
        for header in sorted(needed - headers):
            self.found(f"answer-without-header-{header}", f"{name} {status}")
        if status < "400":
            return
        self.figures["errors"] += 1
        content = [body for media, body in response.get("content", {}).items() if media.startswith("application/json")]
        has_example = any({"example", "examples"} & set(body) for body in content)
        self.figures["errors with an example of their own"] += has_example
        if not has_example:
            self.found("error-without-example", f"{name} {status}")


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        checks = Checks(json.load(file))
    checks.run()
    if "--figures" in sys.argv:
        for name, count in sorted(checks.figures.items()):
            print(f"{count:6} {name}")
        return 0
    for rule, place in checks.findings:
        print(f"{rule}: {place}")
    for rule, count in collections.Counter(rule for rule, _ in checks.findings).most_common():
        print(f"{count:6} {rule}", file=sys.stderr)
    return 1 if checks.findings else 0


if __name__ == "__main__":
    sys.exit(main())
