"""Speaks the part of Qdrant's REST interface that knowledge bases use, as its reference documents it; in memory."""

import math
import uuid

from served import Refused, serve

KEY = "not a secret"


class Collection:
    def __init__(self, config):
        self.config = config
        self.points = {}
        self.indexed = {}


def values(payload, path):
    """What lies at a path; `a[].b` goes through lists, and a list at the end is its members."""
    found = [payload]
    for part in path.split("."):
        name, through = part.removesuffix("[]"), part.endswith("[]")
        found = [one[name] for one in found if isinstance(one, dict) and name in one]
        if through:
            found = [member for one in found if isinstance(one, list) for member in one]
    return [member for one in found for member in (one if isinstance(one, list) else [one])]


def same(a, b):
    return type(a) is type(b) and a == b


def matches(match, value):
    [(how, wanted)] = match.items()
    if how == "value":
        return same(value, wanted)
    if how == "any":
        return any(same(value, one) for one in wanted)
    if how == "except":
        return not any(same(value, one) for one in wanted)
    if how == "text":
        # Without a full-text index: whether it is a part.
        return isinstance(value, str) and wanted in value
    raise Refused(400, f"no match is called {how}")


RANGE = {
    "gt": lambda a, b: a > b,
    "gte": lambda a, b: a >= b,
    "lt": lambda a, b: a < b,
    "lte": lambda a, b: a <= b,
}


def holds(condition, key, payload):
    if {"must", "should", "must_not"} & condition.keys():
        return passes(condition, key, payload)
    if "has_id" in condition:
        return key in condition["has_id"]
    if "nested" in condition:
        nested = condition["nested"]
        members = [one for one in values(payload, nested["key"].removesuffix("[]")) if isinstance(one, dict)]
        return any(passes(nested["filter"], key, one) for one in members)
    found = values(payload, condition["key"])
    if "match" in condition:
        return any(matches(condition["match"], value) for value in found)
    if "range" in condition:
        number = lambda value: isinstance(value, (int, float)) and not isinstance(value, bool)
        return any(
            number(value) and all(RANGE[how](value, than) for how, than in condition["range"].items()) for value in found
        )
    raise Refused(400, f"Format error in JSON body: no condition is {condition}")


def passes(filter, key, payload):
    if unknown := filter.keys() - {"must", "should", "must_not"}:
        raise Refused(400, f"Format error in JSON body: unknown field {unknown}")
    should = filter.get("should", [])
    return (
        all(holds(one, key, payload) for one in filter.get("must", []))
        and not any(holds(one, key, payload) for one in filter.get("must_not", []))
        and (not should or any(holds(one, key, payload) for one in should))
    )


def unit(vector):
    length = math.sqrt(sum(one * one for one in vector))
    return [one / length for one in vector] if length else vector


class Qdrant:
    def __init__(self):
        self.collections = {}

    def answer(self, method, path, query, headers, body):
        if headers.get("api-key") != KEY:
            raise Refused(401, "Must provide an API key or an Authorization bearer token")
        parts = path.strip("/").split("/")
        if parts[0] != "collections" or len(parts) < 2:
            raise Refused(404, "")
        name, rest = parts[1], parts[2:]
        if not rest:
            return self.collection(method, name, body)
        if name not in self.collections:
            raise Refused(404, f"Not found: Collection `{name}` doesn't exist!")
        collection = self.collections[name]
        handler = {
            ("PUT", "index"): self.index,
            ("PUT", "points"): self.upsert,
            ("POST", "points"): self.retrieve,
            ("POST", "points/delete"): self.delete,
            ("POST", "points/batch"): self.batch,
            ("POST", "points/scroll"): self.scroll,
            ("POST", "points/query"): self.query,
            ("POST", "points/count"): self.count,
        }.get((method, "/".join(rest)))
        if handler is None:
            raise Refused(404, "")
        return handler(collection, body)

    def collection(self, method, name, body):
        if method == "DELETE":
            return self.collections.pop(name, None) is not None
        if method == "PUT":
            if name in self.collections:
                raise Refused(409, f"Wrong input: Collection `{name}` already exists!")
            self.collections[name] = Collection({"params": {"vectors": body["vectors"]}})
            return True
        if name not in self.collections:
            raise Refused(404, f"Not found: Collection `{name}` doesn't exist!")
        return {"status": "green", "config": self.collections[name].config}

    def index(self, collection, body):
        collection.indexed[body["field_name"]] = body["field_schema"]
        return {"status": "completed"}

    def upsert(self, collection, body):
        sizes = {name: one["size"] for name, one in collection.config["params"]["vectors"].items()}
        for point in body["points"]:
            uuid.UUID(point["id"])
            for name, vector in point["vector"].items():
                if len(vector) != sizes[name]:
                    raise Refused(400, f"Wrong input: Vector dimension error: expected dim: {sizes[name]}")
        for point in body["points"]:
            vectors = {name: unit(vector) for name, vector in point["vector"].items()}
            collection.points[point["id"]] = (vectors, point["payload"])
        return {"status": "completed"}

    def retrieve(self, collection, body):
        wanted = body["with_payload"]
        found = [(key, collection.points[key][1]) for key in body["ids"] if key in collection.points]
        return [{"id": key, "payload": {k: v for k, v in payload.items() if k in wanted}} for key, payload in found]

    def chosen(self, collection, body):
        if "points" in body:
            return [key for key in body["points"] if key in collection.points]
        return [key for key, (_, payload) in collection.points.items() if passes(body["filter"], key, payload)]

    def delete(self, collection, body):
        for key in self.chosen(collection, body):
            del collection.points[key]
        return {"status": "completed"}

    def batch(self, collection, body):
        for operation in body["operations"]:
            [(how, what)] = operation.items()
            {"delete": self.delete, "upsert": self.upsert, "set_payload": self.set_payload}[how](collection, what)
        return [{"status": "completed"} for _ in body["operations"]]

    def scroll(self, collection, body):
        limit, after = body["limit"], body.get("offset") or ""
        found = sorted(key for key in self.chosen(collection, body) if key >= after)
        wanted = body["with_payload"]
        shown = [(key, collection.points[key][1]) for key in found[:limit]]
        points = [{"id": key, "payload": {k: v for k, v in payload.items() if k in wanted}} for key, payload in shown]
        return {"points": points, "next_page_offset": found[limit] if len(found) > limit else None}

    def set_payload(self, collection, body):
        for key in self.chosen(collection, body):
            collection.points[key][1].update(body["payload"])
        return {"status": "completed"}

    def query(self, collection, body):
        asked, using = unit(body["query"]), body["using"]
        found = []
        for key, (vectors, payload) in collection.points.items():
            if using in vectors and passes(body.get("filter", {}), key, payload):
                found.append((sum(a * b for a, b in zip(asked, vectors[using], strict=True)), key, payload))
        found.sort(key=lambda one: -one[0])
        points = [{"id": key, "version": 1, "score": score, "payload": payload} for score, key, payload in found]
        return {"points": points[: body["limit"]]}

    def count(self, collection, body):
        return {"count": len(self.chosen(collection, body))}


def told(result):
    return {"result": result, "status": "ok", "time": 0.0}


def refusal(text):
    return {"status": {"error": text}, "time": 0.0}


if __name__ == "__main__":
    serve(Qdrant().answer, told, refusal)
