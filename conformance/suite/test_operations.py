"""Every operation of the four services, once: built or 501 by its own name; never open without credentials."""

import pytest
from botocore import UNSIGNED, xform_name
from botocore.exceptions import ClientError

from support import contract, coverage, inputs, lists, raw
from support.clients import client

# boto3 has no method for it: the only operation whose request is a stream.
BIDIRECTIONAL = "bedrock-runtime:InvokeModelWithBidirectionalStream"
BIDIRECTIONAL_PATH = "/model/amazon.nova-sonic-v1%3A0/invoke-with-bidirectional-stream"
SESSION_ARN = "arn:aws:bedrock:us-east-1:123456789012:session/11111111-2222-3333-4444-555555555555"
EVENTS = {"content-type": "application/vnd.amazon.eventstream"}


def call_each(server, **config):
    """(status, code, message) by `service:Operation`."""
    outcomes = {}
    for service in contract.SERVICES:
        one = client(server.url, service, account="987654321098", **config)
        for operation in contract.service_model(service).operation_names:
            name = f"{service}:{operation}"
            if name != BIDIRECTIONAL:
                outcomes[name] = _outcome(one, contract.service_model(service).operation_model(operation))
    return outcomes


def _outcome(one, operation):
    arguments = inputs.value(operation.input_shape) if operation.input_shape else {}
    if one.meta.service_model.service_name == "bedrock-agent-runtime" and "resourceArn" in arguments:
        # Two services have tags at one path; the resource tells them apart.
        arguments["resourceArn"] = SESSION_ARN
    try:
        getattr(one, xform_name(operation.name))(**arguments)
    except ClientError as error:
        answer = error.response
        return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"], answer["Error"]["Message"]
    except AssertionError as malformed:  # one bad answer must not hide the other 239
        return 0, "malformed", str(malformed)
    return 200, "", ""


def bidirectional(server, **kwargs):
    answer = raw.request(server, "POST", BIDIRECTIONAL_PATH, b"", headers=EVENTS, **kwargs)
    return (answer.status, *answer.error("bedrock-runtime"))


@pytest.fixture(scope="module")
def outcomes(server):
    found = call_each(server)
    found[BIDIRECTIONAL] = bidirectional(server)
    coverage.record("bedrock-runtime", BIDIRECTIONAL.split(":")[1], *found[BIDIRECTIONAL][:2])
    return found


@pytest.fixture(scope="module")
def unsigned(server):
    found = call_each(server, signature_version=UNSIGNED)
    found[BIDIRECTIONAL] = bidirectional(server, signer=None)
    return found


def test_the_operations_that_answer_501_are_the_listed_ones(outcomes, request):
    missing = [name for name, (status, _, _) in outcomes.items() if status == 501]
    if request.config.getoption("--write-expected"):
        lists.write("not-implemented.txt", missing)
    listed = lists.read("not-implemented.txt")
    assert sorted(missing) == sorted(listed), {
        "built, so take it off the list": sorted(set(listed) - set(missing)),
        "no longer answered": sorted(set(missing) - set(listed)),
    }


def test_a_501_names_itself(outcomes):
    unnamed = [
        (name, code, message)
        for name, (status, code, message) in outcomes.items()
        if status == 501 and (code != "NotImplementedException" or name.split(":")[1] not in message)
    ]
    assert not unnamed


def test_every_answer_to_a_valid_input_is_well_formed_and_no_fault_of_the_server(outcomes):
    fine = {name for name, (status, _, _) in outcomes.items() if 200 <= status < 500 or status == 501}
    assert not {name: outcome for name, outcome in outcomes.items() if name not in fine}


def test_no_operation_answers_without_credentials(unsigned):
    listed = set(lists.read("unauthenticated.txt"))
    wanted = (403, "MissingAuthenticationTokenException", "Missing Authentication Token")
    assert not {name: outcome for name, outcome in unsigned.items() if outcome != wanted and name not in listed}


def test_what_is_open_to_everybody_is_listed(server):
    for line in lists.read("unauthenticated.txt"):
        method, path = line.split()
        assert raw.request(server, method, path, signer=None).status == 200, line


def test_an_unknown_path_without_credentials_tells_nothing(server):
    code, _ = raw.request(server, "GET", "/nothing/here", signer=None).error()
    assert code in ("MissingAuthenticationTokenException", "UnknownOperationException")
