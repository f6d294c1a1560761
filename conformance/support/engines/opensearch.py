"""Speaks the part of OpenSearch's REST interface (with its k-NN plugin) that knowledge bases use, as its reference
documents it; in memory. What is written is seen by searches when the index has been refreshed, and not before.

With `es` or `aoss`, a Region and credentials (key, secret and token), requests have to be signed for that service of AWS.
As OpenSearch Serverless (`aoss`) it is refreshed by nobody, and names documents itself; its searches see what is written
only after some of them."""

import base64
import copy
import math
import re
import sys
import uuid

from served import Refused, serve

KEY = "Basic " + base64.b64encode(b"outcrop:not a secret").decode()
MOST = 10_000


class Index:
    def __init__(self, body):
        self.settings = body.get("settings", {})
        self.properties = body.get("mappings", {}).get("properties", {})
        self.written = {}
        self.shown = {}
        self.searches = 0


def values(source, path):
    found = [source]
    for part in path.split("."):
        found = [one[part] for one in found if isinstance(one, dict) and part in one]
        found = [member for one in found for member in (one if isinstance(one, list) else [one])]
    return found


def words(text):
    return re.findall(r"\w+", text.lower())


def pattern(wildcard):
    parts, at = [], 0
    while at < len(wildcard):
        c = wildcard[at]
        if c == "\\":
            at += 1
            parts.append(re.escape(wildcard[at]))
        else:
            parts.append({"*": ".*", "?": "."}.get(c) or re.escape(c))
        at += 1
    return re.compile("".join(parts), re.DOTALL)


RANGE = {
    "gt": lambda a, b: a > b,
    "gte": lambda a, b: a >= b,
    "lt": lambda a, b: a < b,
    "lte": lambda a, b: a <= b,
}


class Search:
    """One query over what is shown of an index: a score for each document that it finds."""

    def __init__(self, index):
        self.index = index
        self.documents = index.shown

    def run(self, query):
        [(kind, body)] = query.items()
        method = getattr(self, f"of_{kind}", None)
        if method is None:
            raise Refused(400, f"unknown query [{kind}]")
        return method(body)

    def all(self, passes, score=1.0):
        return {key: score for key, source in self.documents.items() if passes(source)}

    def of_match_all(self, _):
        return self.all(lambda _: True)

    def of_match_none(self, _):
        return {}

    def of_ids(self, body):
        return {key: 1.0 for key in body["values"] if key in self.documents}

    def field(self, body):
        [(path, given)] = body.items()
        return path, given.get("value") if isinstance(given, dict) and "value" in given else given

    def of_term(self, body):
        path, wanted = self.field(body)
        return self.all(lambda source: wanted in values(source, path))

    def of_terms(self, body):
        [(path, wanted)] = body.items()
        wanted = set(wanted)
        return self.all(lambda source: not wanted.isdisjoint(values(source, path)))

    def of_prefix(self, body):
        path, wanted = self.field(body)
        return self.all(lambda source: any(one.startswith(wanted) for one in values(source, path)))

    def of_wildcard(self, body):
        path, wanted = self.field(body)
        wanted = pattern(wanted)
        return self.all(lambda source: any(wanted.fullmatch(one) for one in values(source, path)))

    def of_range(self, body):
        [(path, bounds)] = body.items()
        passes = lambda value: all(RANGE[how](value, than) for how, than in bounds.items())
        return self.all(lambda source: any(passes(value) for value in values(source, path)))

    def of_nested(self, body):
        # Each of the members is a document of its own, with its whole path.
        *outer, last = body["path"].split(".")

        def passes(source):
            for one in values(source, body["path"]):
                member = {last: one}
                for part in reversed(outer):
                    member = {part: member}
                inner = Index({})
                inner.shown = {"one": member}
                if Search(inner).run(body["query"]):
                    return True
            return False

        return self.all(passes)

    def of_bool(self, body):
        if unknown := body.keys() - {"must", "filter", "should", "must_not", "minimum_should_match"}:
            raise Refused(400, f"[bool] query does not support {unknown}")
        listed = lambda name: given if isinstance(given := body.get(name, []), list) else [given]
        must, should = [self.run(one) for one in listed("must")], [self.run(one) for one in listed("should")]
        filters, without = [self.run(one) for one in listed("filter")], [self.run(one) for one in listed("must_not")]
        least = body.get("minimum_should_match", 0 if must or filters else 1) if should else 0
        found = {}
        for key in self.documents:
            if all(key in one for one in must + filters) and not any(key in one for one in without):
                fits = [one[key] for one in should if key in one]
                if len(fits) >= least:
                    found[key] = sum(one[key] for one in must) + sum(fits)
        return found

    def of_match(self, body):
        [(path, given)] = body.items()
        terms = {term: words(given["query"]).count(term) for term in words(given["query"])}
        if len(terms) > 1024:
            raise Refused(400, "failed to create query: maxClauseCount is set to 1024")
        texts = {key: words(" ".join(values(source, path))) for key, source in self.documents.items()}
        mean = sum(map(len, texts.values())) / max(len(texts), 1)
        found = {}
        for term, times in terms.items():
            having = {key: text.count(term) for key, text in texts.items() if term in text}
            idf = math.log(1 + (len(texts) - len(having) + 0.5) / (len(having) + 0.5))
            for key, count in having.items():
                norm = count + 1.2 * (1 - 0.75 + 0.75 * len(texts[key]) / mean)
                found[key] = found.get(key, 0.0) + times * idf * count / norm
        return found

    def of_knn(self, body):
        [(field, given)] = body.items()
        mapping = self.index.properties[field]
        check(field, mapping, given["vector"])
        space = mapping.get("method", {}).get("space_type") or mapping.get("space_type", "l2")
        allowed = self.run(given["filter"]) if "filter" in given else self.documents
        scores = {
            key: score(space, given["vector"], self.documents[key][field])
            for key in allowed
            if field in self.documents[key]
        }
        nearest = sorted(scores.items(), key=lambda one: -one[1])
        return dict(nearest[: given["k"]])


def score(space, asked, kept):
    if space == "hamming":
        return 1 / (1 + sum(((a ^ b) & 0xFF).bit_count() for a, b in zip(asked, kept, strict=True)))
    dot = sum(a * b for a, b in zip(asked, kept, strict=True))
    if space == "cosinesimil":
        length = lambda of: math.sqrt(sum(one * one for one in of))
        return (1 + dot / length(asked) / length(kept)) / 2
    if space == "innerproduct":
        return dot + 1 if dot >= 0 else 1 / (1 - dot)
    return 1 / (1 + sum((a - b) ** 2 for a, b in zip(asked, kept, strict=True)))


def check(field, mapping, vector):
    binary = mapping.get("data_type") == "binary"
    size = len(vector) * 8 if binary else len(vector)
    if size != mapping["dimension"]:
        raise Refused(400, f"Vector dimension mismatch. Expected: {mapping['dimension']}, Given: {size}")
    if binary and not all(isinstance(one, int) and -128 <= one <= 127 for one in vector):
        raise Refused(400, f"[data_type] field was set as [binary] in index mapping of [{field}]")
    if mapping.get("method", {}).get("space_type") == "cosinesimil" and not any(vector):
        raise Refused(400, "zero vector is not supported when space type is [cosinesimil]")


def merged(into, new):
    for key, value in new.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            merged(into[key], value)
        else:
            into[key] = value


# Searches of OpenSearch Serverless after which it shows what was written.
LATE = 3


def basic(_method, _path, headers, _body):
    if headers.get("authorization") != KEY:
        raise Refused(401, "Unauthorized")


class Broken(Refused):
    """Not one line but the request, after some of its lines: once."""


class OpenSearch:
    def __init__(self, serverless):
        self.indexes = {}
        self.serverless = serverless
        self.broken = False

    def answer(self, method, path, query, headers, body):
        name, *rest = path.strip("/").split("/")
        if not rest:
            return self.index(method, name, body)
        index = self.existing(name)
        handler = {
            ("PUT", "_mapping"): self.mapping,
            ("POST", "_bulk"): self.bulk,
            ("POST", "_refresh"): self.refresh,
            ("POST", "_search"): self.search,
            ("GET", "_stats/store"): self.stats,
        }.get((method, "/".join(rest)))
        if self.serverless and rest[0] in ("_refresh", "_stats"):
            raise Refused(404, "")
        if handler is None:
            raise Refused(405, f"Incorrect HTTP method for uri [{path}] and method [{method}]")
        return handler(index, body)

    def existing(self, name):
        if name not in self.indexes:
            raise Refused(404, f"no such index [{name}]")
        return self.indexes[name]

    def index(self, method, name, body):
        if method == "PUT":
            if name != name.lower():
                raise Refused(400, f"Invalid index name [{name}], must be lowercase")
            if name in self.indexes:
                raise Refused(400, f"index [{name}] already exists")
            engines = {field.get("method", {}).get("engine") for field in body["mappings"]["properties"].values()}
            if self.serverless and engines - {None, "faiss", "nmslib"}:
                raise Refused(400, f"engine not supported: {engines}")
            self.indexes[name] = Index(body)
            return {"acknowledged": True, "index": name}
        index = self.existing(name)
        if method == "DELETE":
            del self.indexes[name]
            return {"acknowledged": True}
        return {name: {"settings": index.settings, "mappings": {"properties": index.properties}}}

    def mapping(self, index, body):
        merged(index.properties, copy.deepcopy(body["properties"]))
        return {"acknowledged": True}

    def bulk(self, index, lines):
        items, lines = [], iter(lines)
        for action in lines:
            [(kind, given)] = action.items()
            try:
                done = getattr(self, f"do_{kind}")(index, given, lines)
                items.append({kind: done})
            except Broken:
                raise
            except Refused as refused:
                items.append({kind: {"status": refused.status, "error": {"reason": refused.text}}})
        return {"errors": any("error" in one for item in items for one in item.values()), "items": items}

    def do_index(self, index, given, lines):
        source = next(lines)
        for field, mapping in index.properties.items():
            if mapping.get("type") == "knn_vector" and field in source:
                check(field, mapping, source[field])
            if source.get(field) == "REFUSE":
                raise Refused(400, f"failed to parse field [{field}]")
            if source.get(field) == "BREAK" and not self.broken:
                self.broken = True
                raise Broken(503, "Service Unavailable")
        if self.serverless and "_id" in given:
            raise Refused(400, "Document ID is not supported in create/index operation request")
        key = given.get("_id") or uuid.uuid4().hex
        index.written[key] = source
        return {"_id": key, "status": 201}

    def do_update(self, index, given, lines):
        change = next(lines)["doc"]
        if given["_id"] not in index.written:
            raise Refused(404, f"[{given['_id']}]: document missing")
        source = copy.deepcopy(index.written[given["_id"]])
        merged(source, change)
        index.written[given["_id"]] = source
        return {"_id": given["_id"], "status": 200}

    def do_delete(self, index, given, lines):
        there = index.written.pop(given["_id"], None) is not None
        return {"_id": given["_id"], "status": 200 if there else 404}

    def refresh(self, index, _):
        index.shown = dict(index.written)
        return {"_shards": {"failed": 0}}

    def stats(self, index, _):
        return {"_all": {"primaries": {"store": {"size_in_bytes": len(index.written) * 1000}}}}

    def search(self, index, body):
        size = body.get("size", 10)
        if size > MOST:
            raise Refused(400, f"Result window is too large, from + size must be less than or equal to: [{MOST}]")
        if self.serverless:
            index.searches += 1
            if index.searches % LATE == 0:
                self.refresh(index, body)
        found = Search(index).run(body["query"])
        aggregations = {}
        for name, one in body.get("aggs", {}).items():
            field = one["cardinality"]["field"]
            distinct = {value for key in found for value in values(index.shown[key], field)}
            aggregations[name] = {"value": len(distinct)}
        order = sorted(found, key=lambda key: -found[key])
        by = None
        if "sort" in body:
            fields = [next(iter(one)) for one in body["sort"]]
            by = lambda key: [key if name == "_id" else values(index.shown[key], name)[0] for name in fields]
            order = sorted(found, key=by)
            if "search_after" in body:
                order = [key for key in order if by(key) > body["search_after"]]
        hits = []
        for key in order[:size]:
            hit = {"_id": key, "_score": None if by else found[key]}
            wanted = body.get("_source", True)
            if wanted is not False:
                source = index.shown[key]
                hit["_source"] = source if wanted is True else {k: v for k, v in source.items() if k in wanted}
            if by:
                hit["sort"] = by(key)
            hits.append(hit)
        return {"hits": {"total": {"value": len(found)}, "hits": hits}, "aggregations": aggregations}


def refusal(text):
    return {"error": {"root_cause": [{"reason": text}], "reason": text}}


if __name__ == "__main__":
    told = sys.argv[1:]
    admit = basic
    if told:
        import signed

        admit = signed.admit(*told)
    serve(OpenSearch(told[:1] == ["aoss"]).answer, lambda found: found, refusal, admit)
