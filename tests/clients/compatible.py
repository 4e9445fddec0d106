"""Checks that openapi/openapi.json breaks no client of the last release, whose description is openapi/base.json.

    compatible.py SPEC            compare; a break is fine if a file in docs/decisions has its line in backticks
    compatible.py SPEC --base     write openapi/base.json, at a release

docs/decisions/0044-versions-of-the-api.md tells what is compatible, and why this is no tool of somebody else.
"""

import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
BASE = ROOT / "openapi/base.json"
METHODS = ("get", "put", "post", "patch", "delete")
PROSE = {"description", "summary", "title", "example", "examples", "tags", "externalDocs"}


def without_prose(value, is_map_of_names=False):
    """Returns the description without what a client can't notice. Names in maps such as `properties` stay."""
    if isinstance(value, list):
        return [without_prose(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    maps = {"properties", "schemas", "responses", "headers", "paths", "content", "securitySchemes"}
    kept = {key: part for key, part in value.items() if is_map_of_names or key not in PROSE}
    return {key: without_prose(part, key in maps and not is_map_of_names) for key, part in kept.items()}


class Comparison:
    def __init__(self, old, new):
        self.specs = {"old": old, "new": new}
        self.breaks = []
        self.compared = set()

    def found(self, place, what):
        self.breaks.append(f"{place}: {what}")

    def gone(self, old, new, part, place, what):
        for name in sorted(set(old.get(part, {})) - set(new.get(part, {}))):
            self.found(place, what.format(name))

    def schema(self, side, schema):
        """Returns a schema with its references and its parts put in."""
        while "$ref" in schema:
            schema = self.specs[side]["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
        merged = {key: value for key, value in schema.items() if key != "allOf"}
        for part in schema.get("allOf", []):
            part = self.schema(side, part)
            merged = {**part, **merged, "properties": {**part.get("properties", {}), **merged.get("properties", {})}}
            merged["required"] = sorted(set(part.get("required", [])) | set(schema.get("required", [])))
        return merged

    def run(self):
        old, new = self.specs["old"], self.specs["new"]
        self.gone(old["components"], new["components"], "schemas", "description", "the schema {} has gone")
        for path, methods in old["paths"].items():
            for method in [method for method in METHODS if method in methods]:
                place = methods[method].get("operationId", f"{method} {path}")
                operation = new["paths"].get(path, {}).get(method)
                if operation is None:
                    self.found(place, "the operation has gone")
                else:
                    self.operation(methods[method], operation, place)
        return self.breaks

    def operation(self, old, new, place):
        if old.get("operationId") != new.get("operationId"):
            self.found(place, "the operation has another name")
        if {} in (old.get("security") or [{}]) and {} not in (new.get("security") or [{}]):
            self.found(place, "a token is needed")
        self.parameters(old, new, place)
        self.body(old.get("requestBody"), new.get("requestBody"), place)
        for status, response in old["responses"].items():
            if status >= "400":
                continue  # A client has to cope with any error, and its body is the same schema everywhere.
            answer = new["responses"].get(status)
            if answer is None:
                self.found(place, f"the answer {status} has gone")
                continue
            self.contents(response, answer, f"{place} {status}", is_answer=True)
            self.gone(response, answer, "headers", f"{place} {status}", "the header {} has gone")

    def parameters(self, old, new, place):
        before, after = ({entry["name"]: entry for entry in side.get("parameters", [])} for side in (old, new))
        self.gone({"all": before}, {"all": after}, "all", place, "the parameter {} has gone")
        for name, entry in after.items():
            if entry.get("required") and not before.get(name, {}).get("required"):
                self.found(place, f"the parameter {name} is required")
            if name in before:
                self.compare(before[name]["schema"], entry["schema"], f"{place}.{name}", is_answer=False)

    def body(self, old, new, place):
        if (new or {}).get("required") and not (old or {}).get("required"):
            self.found(place, "the body is required")
        if old:
            self.contents(old, new or {}, f"{place} body", is_answer=False)

    def contents(self, old, new, place, is_answer):
        media = {name.split(";")[0]: content for name, content in new.get("content", {}).items()}
        for name, content in old.get("content", {}).items():
            other = media.get(name.split(";")[0])
            if other is None:
                self.found(place, f"the type {name.split(';')[0]} has gone")
            else:
                self.compare(content.get("schema", {}), other.get("schema", {}), place, is_answer)

    def compare(self, old, new, place, is_answer):
        pair = (json.dumps(old, sort_keys=True), json.dumps(new, sort_keys=True), is_answer)
        if "$ref" in old and pair in self.compared:
            return
        self.compared.add(pair)
        place = old.get("$ref", place).rsplit("/", 1)[-1] if "$ref" in old else place
        old, new = self.schema("old", old), self.schema("new", new)
        wider, narrower = (old, new) if is_answer else (new, old)
        if old.get("type") != new.get("type") and (narrower.get("type"), wider.get("type")) != ("integer", "number"):
            self.found(place, f"the type {old.get('type')} is {new.get('type')}")
            return
        if narrower.get("nullable") and not wider.get("nullable"):
            self.found(place, "may be null" if is_answer else "may no longer be null")
        if "enum" in wider and not set(narrower.get("enum", [object()])) <= set(wider["enum"]):
            self.found(place, "has new values" if is_answer else "takes fewer values")
        self.bounds(old, {} if is_answer else new, place)
        self.fields(old, new, place, is_answer)
        for part in ("items", "additionalProperties"):
            if isinstance(old.get(part), dict) and isinstance(new.get(part), dict):
                self.compare(old[part], new[part], f"{place}[]", is_answer)

    def bounds(self, old, new, place):
        for name in ("maximum", "maxLength", "maxItems", "minimum", "minLength", "minItems"):
            sign = 1 if name.startswith("max") else -1
            if name in new and (name not in old or sign * new[name] < sign * old[name]):
                self.found(place, f"{name} is {new[name]}")
        if new.get("pattern") not in (None, old.get("pattern")):
            self.found(place, "has another pattern")

    def fields(self, old, new, place, is_answer):
        before, after = old.get("properties", {}), new.get("properties", {})
        self.gone(old, new, "properties", place, "the field {} has gone")
        source, target = (old, new) if is_answer else (new, old)
        for name in sorted((set(source.get("required", [])) - set(target.get("required", []))) & set(after)):
            self.found(f"{place}.{name}", "may be left out" if is_answer else "is required")
        for name in sorted(set(before) & set(after)):
            self.compare(before[name], after[name], f"{place}.{name}", is_answer)


def main():
    new = without_prose(json.loads(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8")))
    if "--base" in sys.argv:
        BASE.write_text(json.dumps(new, sort_keys=True, separators=(",", ":")) + "\n", encoding="utf-8")
        return 0
    decisions = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "docs/decisions").glob("*.md"))
    breaks = sorted(set(Comparison(json.loads(BASE.read_text(encoding="utf-8")), new).run()))
    unnamed = [line for line in breaks if f"`{line}`" not in decisions]
    print("\n".join(unnamed) or f"compatible: {len(breaks)} breaks, all of them named in docs/decisions")
    return 1 if unnamed else 0


if __name__ == "__main__":
    sys.exit(main())
