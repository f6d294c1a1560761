"""What the models say of a shape, corrected where they are wrong, and the smallest value of each."""

import base64
import copy
import functools

from probes import strings

# (service, shape): what the server's generator corrects too (crates/xtask/src/codegen/corrections.rs has the reasons).
CORRECTIONS = {
    ("bedrock-agent", "TaggableResourcesArn"): ("pattern", "/d{12}", r"\d{12}"),
    ("bedrock-agent", "OpenSearchManagedClusterIndexName"): ("pattern", r"(?![\-_+.])", ""),
    ("bedrock-agent-runtime", "QueryGenerationInputTextString"): ("pattern", r"^(?!\s*$).+", r"^.*\S.*"),
    ("bedrock", "GuardrailTopicDefinition"): ("max", 200, 1000),
    ("bedrock-agent", "KnowledgeBaseDocuments"): ("max", 10, 25),
    ("bedrock-agent", "DocumentIdentifiers"): ("max", 10, 25),
    ("bedrock", "GuardrailWordConfigTextString"): ("max", 100, 10_000),
    ("bedrock", "GuardrailRegexConfigPatternString"): ("max", 500, 10_000),
    ("bedrock", "PromptRouterArn"): ("pattern", "default-prompt-router", "(default-)?prompt-router"),
}

TIME = "2026-01-02T03:04:05Z"


def kind(shape):
    if shape.type_name == "structure":
        if getattr(shape, "is_document_type", False):
            return "document"
        return "union" if getattr(shape, "is_tagged_union", False) else "structure"
    return "enum" if shape.type_name == "string" and shape.enum else shape.type_name


class Rules:
    """The constraints of one service's shapes."""

    def __init__(self, service):
        self.service = service
        self._smallest = {}
        self.smallest_string = functools.lru_cache(None)(self._smallest_string)

    def of(self, shape, name):
        """`min`, `max` or `pattern` of a shape, or None."""
        value = shape.metadata.get(name)
        key, wrong, right = CORRECTIONS.get((self.service, shape.name), (None, None, None))
        if key != name or value is None:
            return value
        return value.replace(wrong, right) if name == "pattern" else right if value == wrong else value

    def bounds(self, shape):
        return self.of(shape, "min"), self.of(shape, "max")

    def _smallest_string(self, name, least, most, pattern):
        if pattern is None:
            return "x" * least
        found = strings.shortest(pattern, least, most)
        assert found is not None, f"no string of {least} to {most} characters found for {name}: {pattern}"
        return found

    def string(self, shape):
        least, most = self.bounds(shape)
        most = 1 << 30 if most is None else most
        return self.smallest_string(shape.name, min(max(least or 0, 1), most), most, self.of(shape, "pattern"))

    def smallest(self, shape):
        """The smallest valid value as it stands in JSON: required members only."""
        if shape.name not in self._smallest:
            self._smallest[shape.name] = self._least(shape, 0)
        return copy.deepcopy(self._smallest[shape.name])

    def _least(self, shape, depth):
        form = kind(shape)
        assert depth < 12, f"{shape.name} requires itself"
        if form == "document":
            return {}
        if form == "structure":
            return {name: self._least(shape.members[name], depth + 1) for name in shape.required_members}
        if form == "union":
            return self.least_member(shape, depth)
        least, _ = self.bounds(shape)
        if form == "list":
            return [self._least(shape.member, depth + 1) for _ in range(least or 0)]
        if form == "map":
            return {key: self._least(shape.value, depth + 1) for key in self.keys(shape, least or 0)}
        if form == "enum":
            return shape.enum[0]
        if form in ("integer", "long"):
            return max(1, least or 1) if self.of(shape, "max") != 0 else 0
        if form in ("float", "double"):
            return least if least is not None else 0.5
        if form == "boolean":
            return False
        if form == "timestamp":
            return TIME
        if form == "blob":
            return blob(least or 1)
        return self.string(shape)

    def least_member(self, shape, depth):
        """A union's first member that does not lead back to the union itself."""
        for name, member in shape.members.items():
            if not leads_back(member, shape.name):
                return {name: self._least(member, depth + 1)}
        raise AssertionError(f"every member of {shape.name} leads back to it")

    def keys(self, shape, count):
        """`count` different valid keys of a map."""
        if shape.key.enum:
            return shape.key.enum[:count]
        found, (least, most) = [], self.bounds(shape.key)
        pattern = self.of(shape.key, "pattern")
        for length in range(max(least or 1, 1), (most or 4096) + 1):
            if len(found) == count:
                break
            key = "k" * length if pattern is None else strings.matching(pattern, length)
            if key is not None:
                found.append(key)
        assert len(found) == count, f"{len(found)} keys for {shape.name}"
        return found


def leads_back(shape, name, depth=0):
    if depth > 12:
        return True
    if shape.name == name:
        return True
    if shape.type_name == "structure":
        required = shape.members.values() if kind(shape) == "union" else [shape.members[m] for m in shape.required_members]
        if kind(shape) == "union":
            return all(leads_back(member, name, depth + 1) for member in required)
        return any(leads_back(member, name, depth + 1) for member in required)
    if shape.type_name == "list" and shape.metadata.get("min"):
        return leads_back(shape.member, name, depth + 1)
    return False


def blob(length):
    """Base64 of `length` bytes."""
    return base64.b64encode(b"x" * length).decode()
