#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The tails of the handshake: the e820 table, the proofs of the key, and
shared memory, with a scripted tool."""

import contextlib
import hmac
import mmap
import os
import socket
import struct
import sys
import time

from rig import named, run_all, scenario, soon, wait_for
from wire import answered, at_end, command, receive, reply, GET_VERSION

EINVAL = 22
# kvmi/handshake.h
FEATURES, E820, NONCE, PROOF, MEMORY = range(0x4b01, 0x4b06)


def records(msg, at):
    """The records of a message's tail, which begins at this byte."""
    found = {}
    while at < len(msg):
        kind, pad, size = struct.unpack_from('=HHI', msg, at)
        assert pad == 0 and kind not in found
        found[kind] = msg[at + 8:at + 8 + size]
        assert len(found[kind]) == size
        at += 8 + (size + 7) // 8 * 8
    assert at == len(msg)
    return found


def e820(hello):
    """The rows (gpa, size, type)."""
    table = records(hello, 104)[E820]
    assert len(table) % 24 == 0
    rows = list(struct.iter_unpack('=QQII', table))
    assert all(row[3] == 0 for row in rows)
    return [row[:3] for row in rows]


@scenario(12)
def test_e820(lab):
    """What the guest's firmware is told, in order, is what the tool is."""
    lab.listen()
    lab.start('-M', 'q35', '-m', '4G')
    conn, hello = lab.accept()
    rows = e820(hello)
    ram = [row for row in rows if row[2] == 1]
    assert rows == sorted(rows)
    assert sum(row[1] for row in ram) == 4 << 30, rows
    assert any(row[0] == 4 << 30 for row in ram)
    assert any(row[2] == 2 for row in rows), rows
    assert struct.unpack_from('=Q', hello, 96)[0] == sum(ram[-1][:2])
    assert int.from_bytes(hello[104:106], 'little') == FEATURES
    assert hello[:4] == len(hello).to_bytes(4, 'little')
    conn.close()


def test_e820_small(lab):
    lab.listen()
    lab.start()
    _conn, hello = lab.accept()
    assert [row for row in e820(hello) if row[2] == 1] == [(0, 64 << 20, 1)]


def old_tool(known):
    """One that knows so many bytes of the hello and drops the rest."""
    def test(lab):
        lab.listen()
        lab.start()
        conn, _ = lab.listener.accept()
        conn.settimeout(soon(5))
        hello = receive(conn, known)
        size = struct.unpack_from('=I', hello)[0]
        assert 104 < size <= 65536
        receive(conn, size - known)
        conn.sendall(reply() + command(GET_VERSION))
        answered(conn, GET_VERSION)
        # And nothing comes that it does not know.
        conn.settimeout(0.3)
        try:
            assert not conn.recv(1)
            raise AssertionError('the session ended')
        except TimeoutError:
            pass
    test.__name__ = f'test_old_tool_{known}'
    return test


@scenario(16)
def test_old_auth(lab):
    """The digest of old tools, where it is allowed."""
    lab.listen()
    lab.start('-object', 'secret,id=k,data=letmein', obj=',key=k,old-auth=on')
    conn, _ = lab.accept()
    conn.sendall(reply(b'letmeout'))
    assert at_end(conn)
    assert 'HOOK' not in lab.log()
    lab.hooked(reply(b'letmein'))
    assert 'does not have the key' in lab.stderr()
    assert 'no key' not in lab.stderr()


READY, HMAC, SHARE = 1, 2, 4
NONCE_OF_TOOL = bytes(range(32))


def start_with_key(lab, more=''):
    lab.listen()
    lab.start('-object', 'secret,id=k,data=letmein', obj=',key=k' + more)


def record(kind, content):
    return struct.pack('=HHI', kind, 0, len(content)) + \
        content.ljust((len(content) + 7) // 8 * 8, b'\0')


def prove(key, who, said):
    return hmac.digest(key, who.ljust(16, b'\0') + said, 'sha256')


def answer(hello, features, key=None, nonce=NONCE_OF_TOOL, said=None):
    """What a tool that knows the key answers to this hello."""
    tail = record(FEATURES, struct.pack('=II', features, 0))
    size = 24 + len(tail)
    if key is not None:
        tail += record(NONCE, nonce) + struct.pack('=HHI', PROOF, 0, 32)
        size = 24 + len(tail) + 32
    msg = struct.pack('=I20x', size) + tail
    if key is not None:
        msg += prove(key, b'kvmi tool 1', (said or hello) + msg)
    return msg


def receive_ready(conn):
    size = receive(conn, 4)
    return size + receive(conn, struct.unpack('=I', size)[0] - 4)


@scenario(56)
def test_proof_both_ways(lab):
    start_with_key(lab)
    conn, hello = lab.accept()
    tail = records(hello, 104)
    assert struct.unpack('=II', tail[FEATURES]) == (READY | HMAC, 0)
    assert len(tail[NONCE]) == 32 and tail[NONCE] != bytes(32)
    said = answer(hello, READY | HMAC, b'letmein')
    conn.sendall(said)
    ready = receive_ready(conn)
    assert 'EVENT 1 -1' in lab.log(), 'ready before the permissions'
    assert struct.unpack_from('=I', ready, 4)[0] == READY | HMAC
    proof = records(ready, 8)[PROOF]
    assert ready.endswith(proof)
    assert proof == prove(b'letmein', b'kvmi qemu 1',
                          hello + said + ready[:-32])
    # The ready is all that QEMU says, and what comes now is the kernel's.
    conn.sendall(command(GET_VERSION))
    answered(conn, GET_VERSION)
    assert b'' == b''.join(drain(conn))


def drain(conn):
    conn.settimeout(0.3)
    with contextlib.suppress(TimeoutError):
        yield conn.recv(1)


def refused(lab, make, *words):
    """QEMU hangs up on what is made of its hello, and says why once."""
    conn, hello = lab.accept()
    conn.sendall(make(hello))
    assert at_end(conn)
    assert 'HOOK' not in lab.log()
    for word in words:
        assert lab.stderr().count(word) == 1, lab.stderr()


def flip(msg, at):
    return msg[:at] + bytes([msg[at] ^ 1]) + msg[at + 1:]


@scenario(56)
def test_wrong_proof(lab):
    start_with_key(lab)
    both = READY | HMAC
    refused(lab, lambda hello: answer(hello, both, b'letmeout'),
            'does not have the key')
    refused(lab, lambda hello: answer(hello, both, b''))
    for at in 24, 40, 56, -1:  # pads of records, the nonce, the proof
        refused(lab, lambda hello, at=at:
                flip(answer(hello, both, b'letmein'), at))
    # One of an altered hello: who is in between cannot change what it says.
    refused(lab, lambda hello: answer(hello, both, b'letmein',
                                      said=flip(hello, 40)))
    # QEMU's own label.
    refused(lab, lambda hello: answer(hello, both, b'letmein')[:-32] +
            prove(b'letmein', b'kvmi qemu 1',
                  hello + answer(hello, both, b'letmein')[:-32]))
    refused(lab, lambda hello: answer(hello, both), 'no nonce or no proof')
    conn, hello = lab.accept()
    conn.sendall(answer(hello, both, b'letmein'))
    receive_ready(conn)


@scenario(56)
def test_replay(lab):
    """What was right once is wrong for each other hello."""
    start_with_key(lab)
    conn, hello = lab.accept()
    said = answer(hello, READY | HMAC, b'letmein')
    conn.sendall(said)
    receive_ready(conn)
    conn.close()
    before = lab.log().count('HOOK 0')
    for _ in range(3):
        conn, other = lab.accept()
        assert other != hello
        conn.sendall(said)
        assert at_end(conn)
    assert lab.log().count('HOOK 0') == before
    assert 'does not have the key' in lab.stderr()


@scenario(56)
def test_downgrade_refused(lab):
    start_with_key(lab)
    refused(lab, lambda hello: reply(b'letmein'), 'old-auth=on')
    refused(lab, lambda hello: reply(b'letmein', size=64))
    refused(lab, lambda hello: answer(hello, READY))


@scenario(56)
def test_downgrade_allowed(lab):
    start_with_key(lab, ',old-auth=on')
    conn, hello = lab.accept()
    conn.sendall(answer(hello, READY | HMAC, b'letmein'))
    receive_ready(conn)
    conn.close()
    conn, hello = lab.hooked(reply(b'letmein'))
    assert b'' == b''.join(drain(conn)), 'a ready that was not asked for'
    conn.close()
    # Who begins with the proof has to give it.
    conn, hello = lab.accept()
    said = answer(hello, READY | HMAC, b'letmeout')
    conn.sendall(said[:4] + reply(b'letmein')[4:] + said[24:])
    assert at_end(conn)


def test_choice(lab):
    """Nothing is had that was not offered, or without waiting for it."""
    lab.listen()
    lab.start()
    offered = struct.unpack('=II', records(lab.accept()[1], 104)[FEATURES])[0]
    assert offered == READY
    for features in HMAC, READY | HMAC, READY | SHARE, 1 << 31:
        refused(lab, lambda hello, f=features: answer(hello, f))
    assert lab.stderr().count('was not offered') == 1
    conn, hello = lab.accept()
    conn.sendall(answer(hello, READY))
    ready = receive_ready(conn)
    assert ready == struct.pack('=II', 8, READY)


def test_hmac_without_ready(lab):
    start_with_key(lab)
    refused(lab, lambda hello: answer(hello, HMAC, b'letmein'),
            'does not wait')


def test_malformed_tail(lab):
    lab.listen()
    lab.start()
    refused(lab, lambda hello: flip(answer(hello, READY), 29), 'malformed')
    refused(lab, lambda hello: struct.pack('=I', 41) +
            answer(hello, READY)[4:] + b'x')


def test_empty_key(lab):
    lab.start('-object', 'secret,id=k,data=', obj=',key=k')
    lab.fails("'k'", 'empty')


def test_not_hooked_is_not_ready(lab):
    lab.listen()
    if not lab.real:
        lab.fail(f'COMMAND {EINVAL}\n')
    lab.start('-object', 'secret,id=k,data=letmein',
              obj=',key=k,command=999')
    conn, hello = lab.accept()
    conn.sendall(answer(hello, READY | HMAC, b'letmein'))
    assert at_end(conn)


def test_timeout_of_a_proof(lab):
    """The limit is of the whole exchange, not of its parts."""
    start_with_key(lab, ',handshake_timeout=1')
    conn, hello = lab.accept()
    begin = time.monotonic()
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        for byte in answer(hello, READY | HMAC, b'letmein'):
            conn.sendall(bytes([byte]))
            time.sleep(0.05)
    assert at_end(conn)
    assert time.monotonic() - begin < 1.5 + soon(1)
    assert 'HOOK' not in lab.log()
    assert 'in time' in lab.stderr()


MEMFD = ['-object', 'memory-backend-memfd,id=ram,size={0},share=on',
         '-machine', 'memory-backend=ram']


def memfd(size='64M'):
    return [word.format(size) for word in MEMFD]


def shared(lab, msg=None, key=None):
    """A session with memory: (connection, ranges, descriptors)."""
    conn, hello = lab.accept()
    offer = struct.unpack('=II', records(hello, 104)[FEATURES])[0]
    assert offer & SHARE
    conn.sendall(msg or answer(hello, offer, key))
    data, fds, _flags, _ = socket.recv_fds(conn, 4, 64)
    assert fds, 'no descriptors'
    ready = data + receive(conn, struct.unpack('=I', data)[0] - 4)
    assert struct.unpack_from('=I', ready, 4)[0] == offer
    rows = list(struct.iter_unpack('=QQQII', records(ready, 8)[MEMORY]))
    assert all(row[4] == 0 and row[3] < len(fds) for row in rows)
    return conn, [row[:4] for row in rows], fds


@scenario(57)
def test_share_memory(lab):
    """What QEMU sees at an address is what is in the file there."""
    lab.listen()
    lab.start(*memfd(), '-S', obj=',share-memory=on')
    conn, rows, fds = shared(lab)
    assert len(fds) == 1
    assert rows[0] == (0, 0xa0000, 0, 0), rows
    assert rows[1] == (1 << 20, 63 << 20, 1 << 20, 0), rows
    qmp = lab.qmp()
    for gpa, offset in (0x7000, 0x7000), (0x200000, 0x200000):
        os.pwrite(os.open(f'/proc/self/fd/{fds[0]}', os.O_RDWR),
                  b'told by the file', offset)
        qmp.ok('pmemsave', val=gpa, size=16, filename=lab.file('memory'))
        with open(lab.file('memory'), 'rb') as f:
            assert f.read() == b'told by the file'
    try:
        os.pwrite(fds[0], b'x', 0)
        raise AssertionError('the descriptor can be written to')
    except OSError as e:
        assert e.errno == 9, e
    try:
        mmap.mmap(fds[0], 4096, mmap.MAP_SHARED, mmap.PROT_WRITE)
        raise AssertionError('the descriptor can be mapped for writing')
    except PermissionError:
        pass


def test_share_memory_around_4g(lab):
    lab.listen()
    lab.start('-M', 'q35', '-m', '4G', *memfd('4G'), '-S',
              obj=',share-memory=on')
    _conn, rows, fds = shared(lab)
    assert len(fds) == 1
    low = rows[1][1] + (1 << 20)
    assert rows[2] == (4 << 30, (4 << 30) - low, low, 0), rows
    assert len(rows) == 3


@scenario(57)
def test_share_memory_with_a_key(lab):
    lab.listen()
    lab.start('-object', 'secret,id=k,data=letmein', *memfd(),
              obj=',key=k,share-memory=on')
    conn, hello = lab.accept()
    conn.sendall(answer(hello, READY | SHARE, None))
    assert at_end(conn)
    _conn, rows, fds = shared(lab, key=b'letmein')
    assert len(fds) == 1 and rows


def test_share_memory_not_asked(lab):
    lab.listen()
    lab.start(*memfd(), obj=',share-memory=on')
    conn, hello = lab.accept()
    conn.sendall(answer(hello, READY))
    data, fds, _flags, _ = socket.recv_fds(conn, 8, 64)
    assert not fds and data == struct.pack('=II', 8, READY)


@scenario(57)
def test_share_memory_plugged(lab):
    """A DIMM comes and goes: each time the session ends, and is told anew."""
    lab.listen()
    lab.start('-M', 'q35', '-m', '64M,slots=2,maxmem=1G', *memfd(), '-S',
              '-object', 'memory-backend-memfd,id=d,size=128M,share=on',
              obj=',share-memory=on')
    conn, rows, fds = shared(lab)
    qmp = lab.qmp()
    qmp.ok('device_add', driver='pc-dimm', id='dimm', memdev='d')
    assert at_end(conn)
    conn, after, fds = shared(lab)
    assert len(fds) == 2 and after[:-1] == rows
    gpa, size, offset, fd = after[-1]
    assert (size, offset) == (128 << 20, 0) and gpa >= 4 << 30, after
    assert os.fstat(fds[fd]).st_size == 128 << 20


def test_share_memory_change_elsewhere(lab):
    """Other RAM that comes is nothing to a session."""
    lab.listen()
    lab.start('-M', 'q35', '-m', '64M,slots=2,maxmem=1G', *memfd(), '-S',
              '-object', 'memory-backend-ram,id=d,size=128M',
              obj=',share-memory=on')
    conn, rows, fds = shared(lab)
    qmp = lab.qmp()
    qmp.ok('device_add', driver='pc-dimm', id='dimm', memdev='d')
    assert lab.log().count('UNHOOK') == 0
    conn.close()
    assert shared(lab)[1] == rows


def test_share_memory_file(lab):
    lab.listen()
    lab.start('-object', f'memory-backend-file,id=ram,size=64M,share=on,mem-path={lab.file("ram")}',
              '-machine', 'memory-backend=ram', obj=',share-memory=on')
    _conn, rows, fds = shared(lab)
    assert os.path.samestat(os.fstat(fds[0]), os.stat(lab.file('ram')))


@scenario(57)
def test_share_memory_private(lab):
    lab.start(obj=',share-memory=on')
    lab.fails('private', 'memory-backend-memfd', 'share=on')


def test_share_memory_private_backend(lab):
    lab.start('-object', 'memory-backend-memfd,id=ram,size=64M,share=off',
              '-machine', 'memory-backend=ram', obj=',share-memory=on')
    lab.fails("'ram'", 'private')


def test_share_memory_over_tcp(lab):
    lab.start(*memfd(), obj=',share-memory=on',
              chardev='socket,id=c,host=127.0.0.1,port=1,reconnect-ms=100')
    lab.fails('needs a UNIX socket')


def test_share_memory_without_reads(lab):
    lab.start(*memfd(), obj=',share-memory=on,command=vm-get-info')
    lab.fails('command=vm-read-physical')


def test_share_memory_with_reads(lab):
    lab.listen()
    lab.start(*memfd(), obj=',share-memory=on,command=vm-read-physical')
    assert shared(lab)[2]


def test_share_memory_many_sessions(lab):
    """No descriptor stays behind."""
    def count():
        return len(os.listdir(f'/proc/{lab.vm.pid}/fd'))

    lab.listen()
    lab.start(*memfd(), '-S', obj=',share-memory=on')
    conn, _, fds = shared(lab)
    time.sleep(0.2)     # QEMU closes what it has sent behind it
    before = count()
    for _ in range(10):
        conn.close()
        for fd in fds:
            os.close(fd)
        conn, _, fds = shared(lab)
    wait_for('descriptors', lambda: count() == before)


def main():
    return run_all([], named(globals(), 'test_') + [old_tool(96), old_tool(104)])


if __name__ == '__main__':
    sys.exit(main())
