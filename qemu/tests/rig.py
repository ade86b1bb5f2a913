# SPDX-License-Identifier: GPL-2.0-or-later
"""A QEMU on a fake kernel, its monitors, and a scripted tool.

A program of tests is run as

    PROGRAM.py QEMU FAKE_KVM_SO [TEST...]

Exit status 0, 1 or 77 (this machine's /dev/kvm cannot run a guest).
"""

import contextlib
import hashlib
import json
import os
import socket
import struct
import subprocess
import sys
import tempfile
import time
import traceback

QEMU, FAKE = sys.argv[1:3]
UUID = '00112233-4455-6677-8899-aabbccddeeff'


def reply(key=b'', size=24):
    """What a tool that knows the key answers, followed by zeros."""
    msg = struct.pack('=I', size) + hashlib.sha1(key).digest()
    return msg.ljust(size, b'\0')


def wait_for(what, condition, timeout=5.0):
    end = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < end, 'timeout: ' + what
        time.sleep(0.01)


def receive(conn, size):
    data = b''
    while len(data) < size:
        more = conn.recv(size - len(data))
        assert more, 'end of stream'
        data += more
    return data


class Lab:
    """A directory, a listening tool, and at most one QEMU."""

    def __init__(self, tmp):
        self.dir = tmp
        self.others = []
        self.vm = None
        self.tool_path = self.file('tool')
        self.listener = None

    def file(self, name):
        return os.path.join(self.dir, name)

    def another(self, name):
        """A second one, with a tool of its own."""
        os.mkdir(self.file(name))
        lab = Lab(self.file(name))
        self.others.append(lab)
        return lab

    def listen(self):
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.tool_path)
        self.listener.listen(16)
        self.listener.settimeout(5)

    def accept(self):
        conn, _ = self.listener.accept()
        conn.settimeout(5)
        size = receive(conn, 4)
        return conn, size + receive(conn, struct.unpack('=I', size)[0] - 4)

    def hooked(self, msg=None):
        """Accept, answer, and wait until the permissions are set."""
        conn, hello = self.accept()
        before = self.log().count('EVENT')
        conn.sendall(msg or reply())
        wait_for('hook', lambda: self.log().count('EVENT') > before)
        return conn, hello

    def fail(self, text):
        with open(self.file('fail'), 'w') as f:
            f.write(text)

    def hold(self, vcpu=''):
        """Hold one vCPU, or all."""
        with open(self.file('hold.new'), 'w') as f:
            f.write(str(vcpu))
        os.rename(self.file('hold.new'), self.file('hold'))

    def down(self, vcpu, flags):
        with open(self.file('down.new'), 'w') as f:
            f.write(f'{vcpu} {flags}\n')
        os.rename(self.file('down.new'), self.file('down'))

    def log(self):
        try:
            with open(self.file('log')) as f:
                return f.read()
        except FileNotFoundError:
            return ''

    def stderr(self):
        with open(self.file('stderr')) as f:
            return f.read()

    def start(self, *args, obj=None, chardev=None, env=None,
              accel='kvm'):
        if chardev is None:
            chardev = f'socket,id=c,path={self.tool_path},reconnect-ms=100'
        full = [QEMU, '-accel', accel, '-cpu', 'kvm64', '-m', '64',
                '-nodefaults', '-display', 'none', '-name', 'guest',
                '-uuid', UUID, '-chardev', chardev]
        for name in 'qmp', 'qmp2':
            path = self.file(name)
            full += ['-chardev',
                     f'socket,id={name},path={path},server=on,wait=off',
                     '-mon', f'chardev={name},mode=control']
        if obj is not False:
            full += ['-object', 'introspection,id=v,chardev=c' + (obj or '')]
        with open(self.file('stderr'), 'w') as err:
            self.vm = subprocess.Popen(
                full + list(args), stdin=subprocess.DEVNULL, stderr=err,
                env={**os.environ, 'LD_PRELOAD': FAKE,
                     'FAKE_KVM_LOG': self.file('log'),
                     'FAKE_KVM_FAIL': self.file('fail'),
                     'FAKE_KVM_HOLD': self.file('hold'),
                     'FAKE_KVM_SLOW': self.file('slow'),
                     'FAKE_KVM_DOWN': self.file('down'), **(env or {})})

    def qmp(self, name='qmp', oob=False):
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(5)
        wait_for('monitor', lambda: sock.connect_ex(self.file(name)) == 0)
        return Qmp(sock, oob)

    def silence(self, seconds=0.5):
        """Nobody comes to the tool."""
        self.listener.settimeout(seconds)
        try:
            conn, _ = self.listener.accept()
        except TimeoutError:
            return
        finally:
            self.listener.settimeout(5)
        raise AssertionError(f'a connection: {conn}')

    def lines(self):
        """What the "kernel" was asked, but for the permissions."""
        return [line for line in self.log().splitlines()
                if line.split()[0] in ('HOOK', 'PREUNHOOK', 'UNHOOK')]

    def fails(self, *words):
        assert self.vm.wait(5) == 1
        for word in words:
            assert word in self.stderr(), (word, self.stderr())

    def close(self):
        for lab in self.others:
            lab.close()
        if self.vm:
            self.vm.kill()
            self.vm.wait()
        if self.listener:
            self.listener.close()


class Qmp:
    def __init__(self, sock, oob=False):
        self.sock = sock
        self.lines = sock.makefile('r')
        self.events = []
        self.replies = []
        self.read()
        self.ok('qmp_capabilities', **({'enable': ['oob']} if oob else {}))

    def read(self):
        line = self.lines.readline()
        if not line:
            raise EOFError('the monitor is gone')
        return json.loads(line)

    def pump(self, seconds):
        """Take what comes until there is a reply, or the time is over."""
        self.sock.settimeout(seconds)
        try:
            while not self.replies:
                answer = self.read()
                (self.events if 'event' in answer else
                 self.replies).append(answer)
        except TimeoutError:
            # A file that has timed out takes no more.
            self.lines = self.sock.makefile('r')
        finally:
            self.sock.settimeout(5)

    def event(self, name):
        """The data of the next such event; those before it are dropped."""
        while True:
            while self.events:
                event = self.events.pop(0)
                if event['event'] == name:
                    return event.get('data')
            answer = self.read()
            (self.events if 'event' in answer else self.replies).append(answer)

    def seen(self, name):
        """Whether such an event has come, in order to be asked for."""
        return any(event['event'] == name for event in self.events)

    def send(self, command, /, **args):
        msg = {'execute': command, 'arguments': args, 'id': command}
        self.sock.sendall(json.dumps(msg).encode())

    def send_oob(self, command, /, **args):
        msg = {'exec-oob': command, 'arguments': args, 'id': command}
        self.sock.sendall(json.dumps(msg).encode())

    def reply(self):
        while not self.replies:
            answer = self.read()
            (self.events if 'event' in answer else self.replies).append(answer)
        return self.replies.pop(0)

    def no_reply(self, seconds=0.3):
        self.pump(seconds)
        assert not self.replies, self.replies

    def done(self, command):
        answer = self.reply()
        assert answer.get('id') == command and 'return' in answer, answer
        return answer['return']

    def __call__(self, command, /, **args):
        self.send(command, **args)
        return self.reply()

    def ok(self, command, /, **args):
        answer = self(command, **args)
        assert 'return' in answer, answer
        return answer['return']

    def error(self, command, /, **args):
        answer = self(command, **args)
        assert 'error' in answer, answer
        return answer['error']['desc']

    def hmp(self, line):
        return self.ok('human-monitor-command', **{'command-line': line})

    def status(self):
        return self.ok('query-status')['status']

    def state(self):
        return self.ok('query-introspection')['state']


def asked(conn):
    """The tool is asked to leave."""
    assert conn.recv(6) == b'UNHOOK'


def leave(conn):
    """The tool is asked to leave, and does."""
    asked(conn)
    conn.close()


def at_end(conn):
    """The tool sees the end of the stream."""
    with contextlib.suppress(ConnectionResetError):
        return conn.recv(1) == b''
    return True


class Skip(Exception):
    """This machine cannot show it."""


def scenario(*numbers):
    """What a test shows of the list in tests/scenarios."""
    def mark(test):
        test.scenarios = numbers
        return test
    return mark


def label(test):
    numbers = getattr(test, 'scenarios', ())
    return ' '.join([test.__name__] + [f'#{n}' for n in numbers])


def run(tests):
    """Return how many failed."""
    failed = 0
    for test in tests:
        if sys.argv[3:] and test.__name__ not in sys.argv[3:]:
            continue
        with tempfile.TemporaryDirectory() as tmp:
            lab = Lab(tmp)
            try:
                test(lab)
                print('  PASS   ', label(test), flush=True)
            except Skip as e:
                print('  SKIP   ', label(test), e)
            except Exception as e:  # any surprise is a failure of this test
                failed += 1
                print('  FAIL   ', label(test), type(e).__name__, e)
                traceback.print_exc(file=sys.stdout)
                print(lab.stderr() + lab.log())
            finally:
                lab.close()
    return failed


def cannot_run_guests():
    """Why /dev/kvm is of no use here, or None."""
    with tempfile.TemporaryDirectory() as tmp:
        lab = Lab(tmp)
        lab.start(obj=False, chardev='null,id=c')
        try:
            lab.qmp().ok('quit')
        except (AssertionError, OSError, ValueError):
            return (lab.stderr().splitlines() or ['no answer'])[-1]
        finally:
            lab.close()
    return None


def run_all(tcg, tests):
    """Run what needs no /dev/kvm, then the others; return the status."""
    failed = run(tcg)
    why = cannot_run_guests()
    if why:
        print('  SKIP    what needs /dev/kvm:', why)
        return 1 if failed else 77
    return 1 if failed + run(tests) else 0
