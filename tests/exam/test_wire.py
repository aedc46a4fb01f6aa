"""Frames: what is sent arrives, and what is no frame ends in words and not in a wait."""

import socket
import threading

import pytest

from hierwidgets.exam.wire import Broken, Channel, Gone, Silent


@pytest.fixture
def ends():
    one, other = socket.socketpair()
    yield Channel(one), Channel(other)
    one.close()
    other.close()


def test_a_frame_arrives(ends):
    large = b"x" * 3_000_000
    sender = threading.Thread(target=ends[0].send, args=({"a": [1, "ä"]}, [b"", large]))
    sender.start()
    assert ends[1].receive(20) == ({"a": [1, "ä"]}, [b"", large])
    sender.join()


def test_nobody_there(ends):
    with pytest.raises(Silent):
        ends[1].receive(0.1)
    ends[0].close()
    with pytest.raises(Gone):
        ends[1].receive(5)
    with pytest.raises(Gone):
        ends[1].send({})


@pytest.mark.parametrize(
    "data",
    [
        b"\xff" * 100,
        b"\0\0\0\2\0\0\0\0no",
        b"\0\0\0\1\0\0\0\0" + b"7",
        b"\0\0\0\2\0\0\0\1" + b"\xff" * 8,
    ],
)
def test_what_is_no_frame(ends, data):
    ends[0].end.sendall(data)
    with pytest.raises(Broken):
        ends[1].receive(5)


def test_a_frame_that_is_too_large_is_not_sent(ends):
    with pytest.raises(Broken, match="64 MB"):
        ends[0].send({}, [bytes(65_000_000)])
