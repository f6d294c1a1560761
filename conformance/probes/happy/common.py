"""What recipes share."""

from botocore.eventstream import EventStreamBuffer

from support import contract


def call(connection, service, name, members):
    """Calls an operation that is judged by its own probes, and returns its answer."""
    return connection.call(service, contract.service_model(service).operation_model(name), members)[1]


def same(found, wanted):
    assert found == wanted, found


def events(answer):
    """The events of a stream, each judged."""
    buffer = EventStreamBuffer()
    buffer.add_data(answer.body)
    return [(event.headers, event.payload) for event in buffer]
