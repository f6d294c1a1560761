"""The mutants: each a mistake that a server could make. `before` changes a request, `after` an answer.

Each is a function of an exchange and of a dictionary that lives as long as the mutant does. Its docstring is its line in
the table of docs/conformance.md.
"""

import json
import re

from botocore.eventstream import EventStreamBuffer

from probes.wire import Pairs, dump

BEFORE, AFTER = [], []


def before(function):
    BEFORE.append(function)
    return function


def after(function):
    AFTER.append(function)
    return function


def output(x):
    """The shape of a success's JSON body, or None."""
    shape = x.operation.output_shape
    plain = x.status < 300 and shape and x.answer[:1] == b"{" and not x.operation.has_event_stream_output
    payload = shape.serialization.get("payload") if shape else None
    return shape if plain and not payload else None


def rewrite(x, change):
    """Applies `change` to the body of an answer as JSON."""
    body = json.loads(x.answer)
    body = change(body) or body
    x.answer = json.dumps(body).encode()


def walk(shape, value, visit):
    """Visits (shape, container, key) of each value in a body, the first of them that `visit` changes ends it."""
    if shape.type_name == "structure" and isinstance(value, dict):
        for name, member in shape.members.items():
            if name in value and (visit(member, value, name) or walk(member, value[name], visit)):
                return True
    elif shape.type_name == "list" and isinstance(value, list):
        for i, item in enumerate(value):
            if visit(shape.member, value, i) or walk(shape.member, item, visit):
                return True
    return False


def first(x, wanted, change):
    """Changes the first value of a success that `wanted(shape, value)` takes."""
    shape = output(x)
    if shape is None:
        return

    def visit(member, container, key):
        if not wanted(member, container[key]):
            return False
        container[key] = change(container[key])
        return True

    rewrite(x, lambda body: walk(shape, body, visit) and body)


def error(x, *codes):
    code = x.answer_headers.get("x-amzn-errortype", "")
    return x.status >= 400 and (not codes or code in codes)


def message(x, change):
    if error(x) and x.answer[:1] == b"{":
        rewrite(x, lambda body: {**body, "message": change(body.get("message", ""))})


# Successes.


@after
def a_required_member_is_dropped(x, _):
    """the first required member of a success is left out"""
    if (shape := output(x)) is not None:
        rewrite(x, lambda body: {k: v for k, v in body.items() if k not in shape.required_members[:1]})


@after
def a_required_member_is_dropped_deep_down(x, _):
    """a required member of a structure in a list is left out"""
    shape = output(x)

    def visit(member, container, key):
        if isinstance(key, int) and member.type_name == "structure" and member.required_members:
            return container[key].pop(member.required_members[-1], None) is not None
        return False

    if shape is not None:
        rewrite(x, lambda body: walk(shape, body, visit) and body)


@after
def a_string_becomes_a_number(x, _):
    """the first text of a success is a number"""
    first(x, lambda s, v: s.type_name == "string", lambda _: 7)


@after
def a_number_becomes_a_string(x, _):
    """the first number of a success is text"""
    first(x, lambda s, v: s.type_name in ("integer", "long", "float"), str)


@after
def a_list_becomes_an_object(x, _):
    """the first list of a success is an object"""
    first(x, lambda s, v: s.type_name == "list", lambda _: {})


@after
def a_boolean_becomes_text(x, _):
    """the first boolean of a success is text"""
    first(x, lambda s, v: s.type_name == "boolean", lambda v: str(v).lower())


@after
def an_enum_value_is_unknown(x, _):
    """the first enum value of a success is in lower case"""
    first(x, lambda s, v: s.type_name == "string" and s.enum and v.lower() != v, str.lower)


@after
def a_timestamp_loses_its_offset(x, _):
    """timestamps without `Z`"""
    first(x, lambda s, v: s.type_name == "timestamp", lambda v: v.rstrip("Z"))


@after
def a_timestamp_is_a_number(x, _):
    """timestamps as seconds since 1970"""
    first(x, lambda s, v: s.type_name == "timestamp", lambda _: 1767323045)


@after
def a_member_is_null(x, _):
    """an absent optional member is written as null"""
    if (shape := output(x)) is not None:
        rewrite(x, lambda body: {**{name: None for name in list(shape.members)[-1:]}, **body})


@after
def an_unknown_member_is_added(x, _):
    """a success has a member that the model lacks"""
    if output(x) is not None:
        rewrite(x, lambda body: {**body, "outcrop": 1})


@after
def members_change_their_case(x, _):
    """members begin with a capital"""
    if output(x) is not None:
        rewrite(x, lambda body: {name[:1].upper() + name[1:]: value for name, value in body.items()})


@after
def every_success_is_200(x, _):
    """200 where the model says 201"""
    if x.status == 201:
        x.status = 200


@after
def a_read_is_201(x, _):
    """201 where the model says 200"""
    if x.status == 200 and x.method == "GET":
        x.status = 201


@after
def successes_are_empty(x, _):
    """every success is `{}`"""
    if output(x) is not None:
        x.answer = b"{}"


@after
def answers_never_change(x, seen):
    """the first success of an operation is repeated for ever"""
    if output(x) is not None:
        x.answer = seen.setdefault((x.service, x.operation.name), x.answer)


@after
def another_operations_body(x, seen):
    """an operation answers with the body of the one asked before it"""
    if output(x) is not None:
        last = seen.get("last", (x.operation.name, x.answer))
        seen["last"] = (x.operation.name, x.answer)
        if last[0] != x.operation.name:
            x.answer = last[1]


@after
def writes_are_forgotten(x, seen):
    """creations answer, and reading what was created is a 404"""
    if x.operation.name.startswith("Get") and x.status < 300 and b"application-inference-profile" in x.answer:
        refuse(x, 404, "ResourceNotFoundException", "The profile was not found.")


@before
def deletions_do_nothing(x, _):
    """deleting answers as it should, and nothing goes"""
    if x.operation.name.startswith(("Delete", "Untag")):
        x.status, x.answer = x.operation.http.get("responseCode", 200), b"{}"
        x.answer_headers = {"x-amzn-requestid": "0", "content-type": "application/json"}


@after
def lists_are_empty(x, _):
    """every list operation answers an empty page"""
    if x.operation.name.startswith("List"):
        first(x, lambda s, v: s.type_name == "list" and v, lambda _: [])


@after
def the_request_id_is_missing(x, _):
    """no x-amzn-RequestId"""
    x.answer_headers.pop("x-amzn-requestid", None)


@after
def a_required_header_is_missing(x, _):
    """InvokeModel without its content type"""
    for name in ("content-type", "x-amzn-bedrock-content-type"):
        if x.operation.name.startswith("InvokeModel") and x.status < 300:
            x.answer_headers.pop(name, None)


def frames(data):
    buffer = EventStreamBuffer()
    buffer.add_data(data)
    return list(buffer)


@after
def a_stream_is_cut(x, _):
    """an event stream ends in the middle of a frame"""
    if x.operation.has_event_stream_output and x.status < 300:
        x.answer = x.answer[:-9]


@after
def a_stream_loses_its_end(x, _):
    """an event stream lacks its last event"""
    if x.operation.has_event_stream_output and x.status < 300:
        x.answer = x.answer[: -frames(x.answer)[-1].prelude.total_length]


@after
def a_stream_has_a_wrong_bit(x, _):
    """one byte of an event stream is flipped"""
    if x.operation.has_event_stream_output and x.status < 300:
        middle = len(x.answer) // 2
        x.answer = x.answer[:middle] + bytes([x.answer[middle] ^ 1]) + x.answer[middle + 1 :]


# Refusals.


def refuse(x, status, code, text):
    x.status, x.answer = status, json.dumps({"message": text}).encode()
    x.answer_headers |= {"x-amzn-errortype": code, "content-type": "application/json"}


@after
def a_refusal_is_422(x, _):
    """422 for a ValidationException"""
    if error(x, "ValidationException"):
        x.status = 422


@after
def a_refusal_is_500(x, _):
    """an InternalServerException for what the caller did"""
    if error(x, "ValidationException"):
        refuse(x, 500, "InternalServerException", "Internal error")


@after
def an_undeclared_code(x, _):
    """BadRequestException for a ValidationException"""
    if error(x, "ValidationException"):
        x.answer_headers["x-amzn-errortype"] = "BadRequestException"


@after
def another_declared_code(x, _):
    """a proper AccessDeniedException for a ValidationException"""
    if error(x, "ValidationException"):
        x.status, x.answer_headers["x-amzn-errortype"] = 403, "AccessDeniedException"


@after
def unreadable_is_invalid(x, _):
    """ValidationException for a SerializationException"""
    if error(x, "SerializationException"):
        x.answer_headers["x-amzn-errortype"] = "ValidationException"


@after
def the_code_is_missing(x, _):
    """no x-amzn-ErrorType"""
    x.answer_headers.pop("x-amzn-errortype", None)


@after
def a_refusal_is_html(x, _):
    """errors as HTML, as a proxy in front writes them"""
    if error(x):
        x.answer, x.answer_headers["content-type"] = b"<html>400 Bad Request</html>", "text/html"


@after
def the_message_is_capitalised(x, _):
    """`Message` for `message`"""
    if error(x):
        rewrite(x, lambda body: {"Message": body.get("message")})


@after
def the_path_is_dropped(x, _):
    """constraint errors without the path"""
    message(x, lambda text: re.sub(r" at '[^']*'", "", text))


@after
def the_path_is_cut_to_its_end(x, _):
    """constraint errors with the last part of the path alone"""
    message(x, lambda text: re.sub(r"at '[^' ]*\.([^.' ]+)'", r"at '\1'", text))


@after
def lists_count_from_nought(x, _):
    """paths count lists from 0"""
    message(x, lambda text: re.sub(r"\.(\d+)\.member", lambda m: f".{int(m[1]) - 1}.member", text))


@after
def one_constraint_is_told(x, _):
    """of several broken constraints the first alone is told"""

    def cut(text):
        if re.match(r"\d+ validation errors", text):
            return re.sub(r"^\d+ validation errors", "1 validation error", text.split("; Value ")[0])
        return text

    message(x, cut)


@after
def a_bound_is_one_off(x, _):
    """the bound in the text is one too high"""
    message(x, lambda text: re.sub(r"(equal to )(\d+)", lambda m: m[1] + str(int(m[2]) + 1), text))


@after
def the_value_is_dropped(x, _):
    """constraint errors without the offending value"""
    message(x, lambda text: re.sub(r"Value '[^']*' at", "Value at", text))


@after
def the_enum_is_cut(x, _):
    """the set of an enum lacks its last value"""
    message(x, lambda text: re.sub(r", [^,\]]+\]", "]", text))


@after
def the_union_is_vague(x, _):
    """a union's error without its keys"""
    message(x, lambda text: text.split(" of the following keys")[0])


@after
def refusals_are_all_alike(x, _):
    """every ValidationException says the same"""
    if error(x, "ValidationException"):
        message(x, lambda _: "1 validation error detected: the input is invalid")


@after
def the_invalid_is_accepted(x, seen):
    """200 and an earlier success for every invalid input"""
    key = (x.service, x.operation.name)
    if x.status == x.operation.http.get("responseCode", 200):
        seen[key] = (x.status, dict(x.answer_headers), x.answer)
    elif error(x, "ValidationException", "SerializationException") and key in seen:
        x.status, x.answer_headers, x.answer = seen[key]


@after
def a_501_has_no_name(x, _):
    """a 501 that does not say which operation"""
    if x.status == 501:
        message(x, lambda _: "This operation is not built.")


@after
def what_is_not_built_answers(x, _):
    """`{}` for what is not built"""
    if x.status == 501:
        x.status, x.answer = x.operation.http.get("responseCode", 200), b"{}"
        x.answer_headers.pop("x-amzn-errortype", None)


@after
def what_is_not_built_is_not_found(x, _):
    """404 for what is not built"""
    if x.status == 501:
        x.status, x.answer_headers["x-amzn-errortype"] = 404, "UnknownOperationException"


@after
def what_is_built_says_501(x, _):
    """501 in due form for an operation that is built"""
    if x.operation.name.startswith(("CreateInferenceProfile", "CountTokens")):
        refuse(x, 501, "NotImplementedException", f"{x.operation.name} is not built.")


# What the server does not see it does not check.


def sent(x, change):
    """Applies `change` to each value of a JSON request, from the leaves up. Objects are lists of pairs: a key that is
    given twice stays so."""
    try:
        body = json.loads(x.body, object_pairs_hook=Pairs)
    except ValueError:
        return
    x.body = dump(deep(body, change)).encode()


def deep(value, change):
    if isinstance(value, Pairs):
        value = Pairs((key, deep(item, change)) for key, item in value)
    elif isinstance(value, list):
        value = [deep(item, change) for item in value]
    return change(value)


def without(value, drop):
    """An object without the pairs that `drop` takes."""
    return Pairs(pair for pair in value if not drop(*pair)) if isinstance(value, Pairs) else value


@before
def keys_given_twice_are_taken(x, _):
    """of two equal keys the last counts"""
    sent(x, lambda v: Pairs(dict(v).items()) if isinstance(v, Pairs) else v)


@before
def a_null_element_is_dropped(x, _):
    """nulls in lists are skipped"""
    sent(x, lambda v: v if isinstance(v, Pairs) or not isinstance(v, list) else [i for i in v if i is not None])


@before
def numbers_are_taken_for_text(x, _):
    """a number where text belongs is turned into text"""
    sent(x, lambda v: str(v) if type(v) is int and v == 7 else v)


@before
def text_is_taken_for_numbers(x, _):
    """text where a number belongs is read as one"""
    sent(x, lambda v: float(v) if v in ("1", "0.5") else v)


@before
def long_text_is_cut(x, _):
    """text over the limit is cut and accepted"""
    sent(x, lambda v: v[:-1] if isinstance(v, str) and len(v) > 60 and not v.startswith("arn:") else v)


@before
def odd_characters_are_dropped(x, _):
    """characters that a pattern forbids are replaced"""
    sent(x, lambda v: v.replace("!", "a") if isinstance(v, str) else v)


@before
def bounds_are_clamped(x, _):
    """numbers beyond a bound become the bound"""
    sent(x, lambda v: 1 if type(v) in (int, float) and not 0 <= v < 1 << 31 else v)


@before
def an_unknown_enum_value_is_dropped(x, _):
    """an unknown enum value is as if absent"""
    sent(x, lambda v: without(v, lambda _, item: item == "outcropNoSuchValue"))


@before
def an_empty_text_is_dropped(x, _):
    """an empty text is as if absent"""
    sent(x, lambda v: without(v, lambda _, item: item == ""))


@before
def a_union_takes_its_first_member(x, _):
    """of a union's two members the first is taken"""
    sent(x, lambda v: Pairs(v[:1]) if isinstance(v, Pairs) and [key for key, _ in v][:2] == ["image", "text"] else v)


@before
def an_optional_member_is_not_read(x, _):
    """`description` is ignored"""
    sent(x, lambda v: without(v, lambda key, _: key == "description"))


@before
def the_query_is_not_read(x, _):
    """members of the query are ignored"""
    x.target = x.target.split("?")[0]


@before
def headers_are_not_read(x, _):
    """members of headers are ignored"""
    x.headers = {k: v for k, v in x.headers.items() if not k.startswith("x-amzn-bedrock")}


@before
def an_empty_body_is_taken(x, _):
    """what is no JSON object is an empty one"""
    if x.body and x.body[:1] != b"{":
        x.body = b"{}"


@after
def unknown_members_are_refused(x, seen):
    """a member that the model lacks is an error"""
    if b"outcropNoSuchMember" in x.body:
        refuse(x, 400, "ValidationException", "1 validation error detected: unknown member")


@before
def ids_are_cut(x, _):
    """labels of the path are cut to what is admitted"""
    x.target = "/".join(part[:2048] for part in x.target.split("/"))
