"""boto3 clients and AWS CLI calls whose every answer is judged and counted."""

import json
import os
import re
import subprocess
import sys

import boto3
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import ClientError

from support import contract, coverage
from support.server import environment

REGION = "us-east-1"
KEY = ("test", "test")


def client(url, service, *, region=REGION, key=KEY, account=None, parameter_validation=True, verify=None, **config):
    """A client that fails the calling test on any answer that the service model does not allow.

    `account`: twelve digits, which `outcrop dev` takes from the access key id. `verify`: the authority of an HTTPS
    endpoint.
    """
    key_id, secret = (account, "test") if account else key
    made = boto3.client(
        service,
        endpoint_url=url,
        region_name=region,
        verify=verify,
        aws_access_key_id=key_id,
        aws_secret_access_key=secret,
        config=Config(
            read_timeout=120,
            retries={"total_max_attempts": 1},
            parameter_validation=parameter_validation,
            **config,
        ),
    )
    if service in contract.SERVICES:
        made.meta.events.register("after-call", _Judge(service))
    return made


class _Judge:
    def __init__(self, service):
        self.service = service

    def __call__(self, http_response, parsed, model, **_):
        http = http_response
        if http.status_code < 300:
            contract.judge_answer(model, http)
            coverage.record(self.service, model.name, http.status_code)
            if model.has_event_stream_output:
                _watch(model, parsed[model.output_shape.event_stream_name])
            return
        code, _message = contract.judge_error(http.status_code, http.headers, http.content, self.service)
        coverage.record(self.service, model.name, http.status_code, code)


def _watch(operation, stream):
    """Judges each event of a stream before botocore parses it."""
    parse = stream._parse_event

    def judged(event):
        contract.judge_event(operation, event.headers, event.payload)
        return parse(event)

    stream._parse_event = judged


def raises(call, code, text=None, status=400):
    """Asserts that `call` fails with exactly this modelled exception; returns its message."""
    try:
        call()
    except ClientError as error:
        answer = error.response
        assert answer["Error"]["Code"] == code, f"{answer['Error']} instead of {code}"
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == status, answer["ResponseMetadata"]
        message = answer["Error"]["Message"]
        assert text is None or text in message, message
        return message
    raise AssertionError(f"no {code}")


class CliError(Exception):
    def __init__(self, status, text):
        super().__init__(text)
        self.status = status


def cli(url, service, command, *args, env=None, region=REGION, key=KEY):
    """Runs the AWS CLI; returns its parsed JSON (or text), or raises CliError with what it printed."""
    executable = os.path.join(os.path.dirname(sys.executable), "aws")
    full = {
        **environment(),
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": key[0],
        "AWS_SECRET_ACCESS_KEY": key[1],
        "AWS_DEFAULT_REGION": region,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_MAX_ATTEMPTS": "1",
        **(env or {}),
    }
    full = {name: value for name, value in full.items() if value is not None}
    done = subprocess.run(
        [sys.executable, executable, service, command, *args], env=full, capture_output=True, text=True, timeout=180
    )
    if service in contract.SERVICES:
        refusal = re.search(r"An error occurred \((\w+)\)", done.stderr)
        _count(service, command, refusal[1] if refusal else None)
    if done.returncode:
        raise CliError(done.returncode, done.stderr.strip())
    try:
        return json.loads(done.stdout)
    except ValueError:
        return done.stdout


def _count(service, command, code):
    names = contract.service_model(service).operation_names
    operation = next(name for name in names if xform_name(name, "-") == command)
    status = 200 if code is None else contract.known_errors(service)[code]
    coverage.record(service, operation, status, code)
