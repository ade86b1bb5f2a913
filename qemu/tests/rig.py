# SPDX-License-Identifier: GPL-2.0-or-later
"""A QEMU, its monitors, and a scripted tool, on a real or a fake kernel.

A program of tests is run as

    PROGRAM.py QEMU LIBRARIES [TEST...]

with a folder of the libraries that are preloaded into QEMU. Where KVM itself
knows introspection the tests run on it, but for those that ask for what only
the fake kernel does. Exit status 0, 1 or 77 (/dev/kvm cannot run a guest).
"""

import fcntl
import os
import socket
import struct
import subprocess
import sys
import tempfile
import time
import traceback

from qmp import Qmp
from wire import (Ended, crash, has_ended, pause, paused, receive, reply,
                  want_unhook)

QEMU, LIBRARIES = sys.argv[1:3]
# How much slower than usual QEMU and its guest are.
SLOWNESS = int(os.environ.get('SLOWNESS', 1))
UUID = '00112233-4455-6677-8899-aabbccddeeff'


def soon(seconds):
    """So long at most, on a machine that is fast."""
    return seconds * SLOWNESS


def wait_for(what, condition, timeout=5.0):
    end = time.monotonic() + soon(timeout)
    while not condition():
        assert time.monotonic() < end, 'timeout: ' + what
        time.sleep(0.01)


class OnlyFake(Exception):
    """What a test asks for, a real kernel does not do."""


class Lab:
    """A directory, a listening tool, and at most one QEMU."""

    def __init__(self, tmp, real=False):
        self.dir = tmp
        self.real = real
        self.holds = 0
        self.others = []
        self.vm = None
        self.tool_path = self.file('tool')
        self.listener = None

    def file(self, name):
        return os.path.join(self.dir, name)

    def another(self, name):
        """A second one, with a tool of its own."""
        os.mkdir(self.file(name))
        lab = Lab(self.file(name), self.real)
        self.others.append(lab)
        return lab

    def listen(self):
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.tool_path)
        self.listener.listen(16)
        self.listener.settimeout(soon(5))

    def accept(self):
        conn, _ = self.listener.accept()
        conn.settimeout(soon(5))
        size = receive(conn, 4)
        return conn, size + receive(conn, struct.unpack('=I', size)[0] - 4)

    def hooked(self, msg=None, quiet=False):
        """Accept, answer, and wait until the permissions are set. A quiet tool
        does not want to be asked before it is cut."""
        while True:
            try:
                conn, hello = self.accept()
                if self.taken(conn, msg or reply()):
                    if not quiet:
                        want_unhook(conn)
                    return conn, hello
            except (BrokenPipeError, ConnectionResetError, Ended):
                # Firmware that has run before resets the machine once more.
                if not self.real:
                    raise

    def taken(self, conn, answer):
        """Whether the kernel takes what is answered so. The firmware may be in
        system management mode, or resets: QEMU comes again."""
        before = self.log()

        def new(line):
            return self.log().count(line) > before.count(line)

        conn.sendall(answer)
        wait_for('hook', lambda: new('EVENT') or new('HOOK -16') or
                 self.real and has_ended(conn))
        return new('EVENT')

    def only_fake(self):
        if self.real:
            raise OnlyFake

    def fail(self, text):
        """Have the ioctls fail so."""
        self.only_fake()
        with open(self.file('fail'), 'w') as f:
            f.write(text)

    def slow(self):
        """Have the kernel be slow once, after the next command."""
        self.only_fake()
        open(self.file('slow'), 'w').close()

    def down(self, vcpu, flags):
        """End the next KVM_RUN of this vCPU with a shutdown."""
        self.only_fake()
        with open(self.file('down.new'), 'w') as f:
            f.write(f'{vcpu} {flags}\n')
        os.rename(self.file('down.new'), self.file('down'))

    def hold(self, vcpu='', deaf=False):
        """Before there is a session: hold one vCPU of it, or all. A real
        kernel holds one that waits for the tool's answer; it hears signals."""
        if deaf:
            self.only_fake()
        if not self.real:
            with open(self.file('hold.new'), 'w') as f:
                f.write(str(vcpu))
            os.rename(self.file('hold.new'), self.file('hold'))

    def held(self, conn, vcpu=0):
        """There is a session, and the vCPU stands still."""
        self.holds += 1
        if self.real:
            pause(conn, vcpu)
            paused(conn, vcpu)
        else:
            wait_for('vCPU', lambda: self.log().count('HELD') >= self.holds)

    def release(self):
        """A vCPU that comes back is not held again."""
        if not self.real:
            os.unlink(self.file('hold'))

    def crash(self, conn, qmp, vcpu=0):
        """The tool crashes the guest, which may have been stopped."""
        if self.real:
            pause(conn, vcpu)
            qmp.ok('cont')
            crash(conn, vcpu, paused(conn, vcpu))
        else:
            self.down(vcpu, 1 << 15)
            qmp.ok('cont')

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
                env={**os.environ, 'LD_PRELOAD': os.path.join(
                         LIBRARIES,
                         'real-kvm.so' if self.real else 'fake-kvm.so'),
                     'FAKE_KVM_LOG': self.file('log'),
                     'FAKE_KVM_FAIL': self.file('fail'),
                     'FAKE_KVM_HOLD': self.file('hold'),
                     'FAKE_KVM_SLOW': self.file('slow'),
                     'FAKE_KVM_DOWN': self.file('down'), **(env or {})})

    def qmp(self, name='qmp', oob=False):
        """QEMU's listeners are set in one thread and accept in another: now and
        then a client that comes as the one before leaves is hung up on."""
        while True:
            sock = socket.socket(socket.AF_UNIX)
            sock.settimeout(soon(5))
            wait_for('monitor', lambda sock=sock:
                     sock.connect_ex(self.file(name)) == 0)
            try:
                return Qmp(sock, soon(5), oob)
            except (EOFError, ConnectionResetError):
                time.sleep(0.01)

    def silence(self, seconds=0.5):
        """Nobody comes to the tool."""
        self.listener.settimeout(seconds)
        try:
            conn, _ = self.listener.accept()
        except TimeoutError:
            return
        finally:
            self.listener.settimeout(soon(5))
        raise AssertionError(f'a connection: {conn}')

    def lines(self):
        """What the "kernel" was asked, but for the permissions."""
        return [line for line in self.log().splitlines()
                if line.split()[0] in ('HOOK', 'PREUNHOOK', 'UNHOOK')]

    def fails(self, *words):
        assert self.vm.wait(soon(5)) == 1
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


class Skip(Exception):
    """This machine cannot show it."""


def scenario(*numbers):
    """What a test shows of the list in tests/scenarios."""
    def mark(test):
        test.scenarios = numbers
        return test
    return mark


def named(names, prefix):
    """The functions of a module whose names begin so."""
    return [f for name, f in names.items() if name.startswith(prefix)]


def label(test):
    numbers = getattr(test, 'scenarios', ())
    return ' '.join([test.__name__] + [f'#{n}' for n in numbers])


KERNELS = {True: '(real KVM)', False: '(fake kernel)', None: ''}


def passes(test, real):
    """Run it on one kernel, or on none of them."""
    with tempfile.TemporaryDirectory() as tmp:
        lab = Lab(tmp, real)
        try:
            test(lab)
            print('  PASS   ', label(test), KERNELS[real], flush=True)
        except OnlyFake:
            lab.close()
            return passes(test, False)
        except Skip as e:
            print('  SKIP   ', label(test), e, flush=True)
        except Exception as e:  # any surprise is a failure of this test
            print('  FAIL   ', label(test), type(e).__name__, e)
            traceback.print_exc(file=sys.stdout)
            print(lab.stderr() + lab.log(), flush=True)
            return False
        finally:
            lab.close()
    return True


def run(tests, real):
    """Return how many failed."""
    return sum(not passes(test, real) for test in tests
               if not sys.argv[3:] or test.__name__ in sys.argv[3:])


def kvm_is_ours():
    """Whether KVM knows introspection: KVM_CAP_INTROSPECTION of a VM."""
    with open('/dev/kvm', 'rb+', buffering=0) as kvm:
        vm = fcntl.ioctl(kvm, 0xae01, 0)
        try:
            return fcntl.ioctl(vm, 0xae03, 0x4b564d49) > 0
        finally:
            os.close(vm)


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
    failed = run(tcg, None)
    why = cannot_run_guests()
    if why:
        print('  SKIP    what needs /dev/kvm:', why)
        return 1 if failed else 77
    return 1 if failed + run(tests, kvm_is_ours()) else 0
