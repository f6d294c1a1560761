"""A valid input for any operation, generated from its shape: required members only, the smallest that fit."""

import random
import re

import rstr

# Patterns that no generator can fill, or that no real value fits (the model writes `/d` where `\d` is meant).
BY_HAND = {
    "AutomatedReasoningPolicyHash": "a" * 128,
    "ModelSourceIdentifier": "arn:aws:sagemaker:us-east-1:aws:hub-content/SageMakerPublicHub/Model/x",
    "TaggableResourcesArn": "arn:aws:bedrock:us-east-1:123456789012:agent/ABCDEFGHIJ",
}


def value(shape, depth=0):
    kind = shape.type_name
    if kind == "structure":
        if getattr(shape, "is_document_type", False) or depth > 8:
            return {}
        names = shape.required_members
        if getattr(shape, "is_tagged_union", False):
            names = list(shape.members)[:1]
        return {name: value(shape.members[name], depth + 1) for name in names}
    if kind == "list":
        return [value(shape.member, depth + 1) for _ in range(shape.metadata.get("min", 0))]
    if kind == "map":
        return {}
    if kind in ("integer", "long"):
        return max(1, shape.metadata.get("min", 1))
    if kind in ("float", "double"):
        return float(shape.metadata.get("min", 0.5))
    if kind == "boolean":
        return False
    if kind == "timestamp":
        return "2026-01-01T00:00:00Z"
    if kind == "blob":
        return b"{}"
    return string(shape)


def string(shape):
    if shape.name in BY_HAND:
        return BY_HAND[shape.name]
    if shape.enum:
        return shape.enum[0]
    least, most = max(shape.metadata.get("min", 1), 1), shape.metadata.get("max", 64)
    pattern = shape.metadata.get("pattern")
    if not pattern:
        return "x" * min(least, most)
    found = _matching(pattern, least, most)
    assert found, f"no string of {least} to {most} characters found for {shape.name}: {pattern}"
    return found


def _matching(pattern, least, most):
    generator = rstr.Rstr(random.Random(7))
    for extra in (0, 1, 3, 8, 20, 64):
        # Wide repetitions would make strings far beyond the length limits.
        narrow = re.sub(r"\{(\d+),(\d+)\}", lambda m: "{%s,%d}" % (m[1], min(int(m[2]), int(m[1]) + extra)), pattern)
        for _ in range(20):
            try:
                candidate = generator.xeger(narrow)
            except (ValueError, re.error, NotImplementedError):
                break
            if least <= len(candidate) <= most and candidate.isascii() and candidate.isprintable():
                if re.fullmatch(pattern, candidate):
                    return candidate
    return _plain(pattern, least, most)


def _plain(pattern, least, most):
    """Patterns that the generator cannot read (look-ahead, classes of Unicode) mostly admit plain words."""
    for length in range(least, min(most, 64) + 1):
        for letter in "ax1":
            try:
                if re.fullmatch(pattern, letter * length):
                    return letter * length
            except re.error:
                return letter * length
    return None
