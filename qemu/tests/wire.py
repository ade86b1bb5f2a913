# SPDX-License-Identifier: GPL-2.0-or-later
"""What a tool says, byte by byte: its answer to the hello, and a few of the
messages of linux/kvmi.h."""

import contextlib
import hashlib
import select
import socket
import struct

VM_EVENT, GET_VERSION, VM_CONTROL_EVENTS = 0, 2, 10
VM_READ_PHYSICAL, VM_WRITE_PHYSICAL, VM_PAUSE_VCPU = 12, 14, 16
VCPU_EVENT = 1
EVENT_UNHOOK, EVENT_PAUSE = 0, 1
CRASH = 2


class Ended(AssertionError):
    """The other side has gone before all had come."""


def reply(key=b'', size=24):
    """What an old tool that knows the key answers, followed by zeros."""
    msg = struct.pack('=I', size) + hashlib.sha1(key).digest()
    return msg.ljust(size, b'\0')


def receive(conn, size):
    data = b''
    while len(data) < size:
        more = conn.recv(size - len(data))
        if not more:
            raise Ended
        data += more
    return data


def command(number, content=b'', seq=1):
    return struct.pack('=HHI', number, len(content), seq) + content


def message(conn):
    """The next one, as (id, seq, content)."""
    number, size, seq = struct.unpack('=HHI', receive(conn, 8))
    return number, seq, receive(conn, size)


def answered(conn, number, seq=1):
    """The answer to this command comes next, and it is no error: what follows
    the error code."""
    got = message(conn)
    assert got[:2] == (number, seq), got
    assert struct.unpack_from('=i', got[2]) == (0,), got
    return got[2][8:]


def read_physical(conn, gpa, size):
    conn.sendall(command(VM_READ_PHYSICAL,
                         struct.pack('=QHHI', gpa, size, 0, 0)))
    return answered(conn, VM_READ_PHYSICAL)


def write_physical(conn, gpa, data):
    conn.sendall(command(VM_WRITE_PHYSICAL, struct.pack(
        '=QHHI', gpa, len(data), 0, 0) + data))
    answered(conn, VM_WRITE_PHYSICAL)


def want_unhook(conn):
    """This tool wants to be asked before it is cut."""
    conn.sendall(command(VM_CONTROL_EVENTS,
                         struct.pack('=HBBI', EVENT_UNHOOK, 1, 0, 0)))
    answered(conn, VM_CONTROL_EVENTS)


def asked(conn):
    """The tool is asked to leave."""
    number, _, content = message(conn)
    assert number == VM_EVENT, number
    assert struct.unpack_from('=H', content) == (EVENT_UNHOOK,)


def leave(conn):
    """The tool is asked to leave, and does."""
    asked(conn)
    conn.close()


def at_end(conn):
    """The tool sees the end of the stream."""
    with contextlib.suppress(ConnectionResetError):
        return conn.recv(1) == b''
    return True


def has_ended(conn):
    """The same, without a wait; what has come meanwhile stays."""
    if not select.select([conn], [], [], 0)[0]:
        return False
    with contextlib.suppress(ConnectionResetError):
        return conn.recv(1, socket.MSG_PEEK) == b''
    return True


def pause(conn, vcpu):
    conn.sendall(command(VM_PAUSE_VCPU, struct.pack('=HBBI', vcpu, 0, 0, 0)))


def paused(conn, vcpu):
    """What pause() asked for has come to be; return the event's number."""
    seqs = {}
    while len(seqs) < 2:
        number, seq, content = message(conn)
        seqs[number] = seq
        if number == VCPU_EVENT:
            assert struct.unpack_from('=H8xH', content) == (EVENT_PAUSE, vcpu)
    assert VM_PAUSE_VCPU in seqs
    return seqs[VCPU_EVENT]


def crash(conn, vcpu, seq):
    """Answer a pause with an end."""
    conn.sendall(command(VCPU_EVENT, struct.pack(
        '=HHIBBHI', vcpu, 0, 0, CRASH, EVENT_PAUSE, 0, 0), seq))
