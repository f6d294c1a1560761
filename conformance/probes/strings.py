"""Strings of a wanted length that a pattern matches: patterns have bounds of their own, so length and form go together."""

import functools
import re
import string
from re import _constants as op
from re import _parser as parser

MANY = 1 << 20
# Plain characters first: what is generated here appears in paths, headers and error messages.
ALPHABET = "a1A0" + string.ascii_letters + string.digits + string.punctuation + " \n\t"
CLASSES = {op.CATEGORY_DIGIT: r"[0-9]", op.CATEGORY_SPACE: r"[ \t\n\r\f\v]", op.CATEGORY_WORD: r"[A-Za-z0-9_]"}
SINGLE = (op.LITERAL, op.NOT_LITERAL, op.ANY, op.IN)
NEGATED = {
    op.CATEGORY_NOT_DIGIT: op.CATEGORY_DIGIT,
    op.CATEGORY_NOT_SPACE: op.CATEGORY_SPACE,
    op.CATEGORY_NOT_WORD: op.CATEGORY_WORD,
}
# Python's `re` knows no classes of Unicode; for the ASCII that is sent these are the same.
UNICODE = (
    (r"[\p{L}\p{M}0-9_]", "[A-Za-z0-9_]"),
    (r"\p{L}", "[A-Za-z]"),
    (r"[^\p{C}]", r"[^\x00-\x1f\x7f]"),
    (r"\P{C}", r"[^\x00-\x1f\x7f]"),
)


@functools.lru_cache(None)
def compiled(pattern):
    """The pattern as Smithy means it: over ASCII classes, to be matched as a whole."""
    for theirs, ours in UNICODE:
        pattern = pattern.replace(theirs, ours)
    return re.compile(pattern, re.ASCII)


@functools.lru_cache(None)
def matching(pattern, length):
    """A string of exactly `length` characters that `pattern` matches as a whole, or None."""
    expression = compiled(pattern)
    tree = parser.parse(expression.pattern)
    for backwards in (False, True):
        text = _sequence(tree, length, backwards)
        if text is not None and len(text) == length and expression.fullmatch(text):
            return text
    return None


def shortest(pattern, least, most):
    """The shortest match of at least `least` and at most `most` characters, or None."""
    low, high = _span(parser.parse(compiled(pattern).pattern))
    for length in range(max(low, least), min(high, most, max(low, least) + 200) + 1):
        if (text := matching(pattern, length)) is not None:
            return text
    return None


def refused(pattern, least, most):
    """A string within the lengths that `pattern` does not match, or None where it matches whatever is tried."""
    expression = compiled(pattern)
    length = max(least, 1)
    for letter in ("!", "~", "a", "1", "/", " ", "\n", "\x01"):
        text = letter * min(length, most)
        if not expression.fullmatch(text):
            return text
    return None


def _sequence(items, length, backwards):
    spans = [_span([item]) for item in items]
    if not sum(low for low, _ in spans) <= length <= sum(high for _, high in spans):
        return None
    shares = [low for low, _ in spans]
    left = length - sum(shares)
    for i in sorted(range(len(shares)), reverse=backwards):
        more = min(left, spans[i][1] - spans[i][0])
        shares[i] += more
        left -= more
    parts = [_one(item, share, backwards) for item, share in zip(items, shares)]
    return None if None in parts else "".join(parts)


def _one(item, length, backwards):
    kind, argument = item
    if kind in (op.AT, op.ASSERT, op.ASSERT_NOT):
        return ""
    if kind is op.SUBPATTERN:
        return _sequence(argument[3], length, backwards)
    if kind is op.BRANCH:
        fits = (_sequence(branch, length, backwards) for branch in argument[1])
        return next((text for text in fits if text is not None), None)
    if kind in (op.MAX_REPEAT, op.MIN_REPEAT):
        return _repeat(argument, length, backwards)
    if kind is op.LITERAL:
        return chr(argument)
    return next((letter for letter in ALPHABET if _admits(kind, argument, letter)), None)


def _repeat(argument, length, backwards):
    least, most, item = argument
    low, high = _span(item)
    for count in range(least, min(int(most), max(length, least)) + 1):
        if count * low <= length <= count * high:
            if low == high == 1 and item[0][0] in SINGLE:
                return _one(item[0], 1, backwards) * count
            each, rest = divmod(length, count) if count else (0, 0)
            parts = [_sequence(item, each + (i < rest), backwards) for i in range(count)]
            if None not in parts:
                return "".join(parts)
            if count > 60:
                break
    return None


def _admits(kind, argument, letter):
    if kind is op.LITERAL:
        return chr(argument) == letter
    if kind is op.NOT_LITERAL:
        return chr(argument) != letter
    if kind is op.ANY:
        return letter != "\n"
    if kind is op.RANGE:
        return argument[0] <= ord(letter) <= argument[1]
    if kind is op.CATEGORY:
        if argument in NEGATED:
            return not re.match(CLASSES[NEGATED[argument]], letter)
        return re.match(CLASSES[argument], letter) is not None
    assert kind is op.IN, kind
    negated = argument[0][0] is op.NEGATE
    return negated != any(_admits(*member, letter) for member in argument[negated:])


def _span(items):
    """(least, greatest) length."""
    low = high = 0
    for kind, argument in items:
        if kind in (op.AT, op.ASSERT, op.ASSERT_NOT):
            continue
        if kind is op.SUBPATTERN:
            a, b = _span(argument[3])
        elif kind is op.BRANCH:
            spans = [_span(branch) for branch in argument[1]]
            a, b = min(s[0] for s in spans), max(s[1] for s in spans)
        elif kind in (op.MAX_REPEAT, op.MIN_REPEAT):
            a, b = _span(argument[2])
            a, b = a * argument[0], b * min(int(argument[1]), MANY)
        else:
            a = b = 1
        low, high = low + a, min(high + b, MANY)
    return low, high
