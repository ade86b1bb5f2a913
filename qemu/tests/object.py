#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The introspection object, and a scripted tool."""

import os
import struct
import sys
import time

from rig import named, run_all, scenario, soon, wait_for, UUID
from wire import answered, at_end, command, reply, GET_VERSION

EPERM, EBUSY, EEXIST, EINVAL, ENOTTY, EOPNOTSUPP = 1, 16, 17, 22, 25, 95


@scenario(1)
def tcg_needs_kvm(lab):
    lab.start(accel='tcg')
    lab.fails("introspection 'v'", 'needs the KVM accelerator', '-accel kvm')


def tcg_chardev_missing(lab):
    lab.start('-object', 'introspection,id=v', obj=False, accel='tcg')
    lab.fails("Parameter 'chardev' is missing")


@scenario(8)
def tcg_unknown_names(lab):
    lab.start(obj=',command=nonsense', accel='tcg')
    lab.fails("'nonsense' is neither the name nor the number",
              'vm-read-physical')


@scenario(8)
def tcg_all_ones_is_no_id(lab):
    lab.start(obj=',event=4294967295', accel='tcg')
    lab.fails("'4294967295' is neither")


@scenario(4)
def tcg_second_object(lab):
    lab.start('-object', 'introspection,id=w,chardev=c', accel='tcg')
    lab.fails("'v'")


def tcg_hot_add(lab):
    lab.start(obj=False, accel='tcg')
    qmp = lab.qmp()
    assert 'KVM' in qmp.error('object-add', **{
        'qom-type': 'introspection', 'id': 'v', 'chardev': 'c'})
    assert 'introspection' in str(qmp.ok('qom-list-types'))
    assert "'v'" not in str(qmp.ok('qom-list', path='/objects'))


@scenario(2)
def test_no_support(lab):
    lab.only_fake()
    lab.start(env={'FAKE_KVM_CAP': '0'})
    lab.fails('does not know introspection: load KVM modules')


@scenario(3)
def test_no_chardev(lab):
    lab.start(obj=',id=v', chardev='null,id=d')
    lab.fails("chardev 'c' not found")


@scenario(3)
def test_chardev_is_no_socket(lab):
    lab.start(chardev='null,id=c')
    lab.fails("'c' is not a socket")


@scenario(3)
def test_chardev_is_a_server(lab):
    lab.start(chardev=f'socket,id=c,path={lab.tool_path},server=on,wait=off')
    lab.fails('is a server', 'server=off')


@scenario(3)
def test_chardev_does_not_reconnect(lab):
    lab.listen()
    lab.start(chardev=f'socket,id=c,path={lab.tool_path}')
    lab.fails('does not reconnect', 'reconnect-ms')


@scenario(3)
def test_chardev_is_websocket(lab):
    lab.start(chardev='socket,id=c,host=127.0.0.1,port=1,websocket=on,server=on,wait=off')
    assert lab.vm.wait(soon(5)) == 1


@scenario(3)
def test_chardev_is_tls(lab):
    lab.start('-object', 'tls-creds-anon,id=t,endpoint=client',
              chardev='socket,id=c,host=127.0.0.1,port=1,reconnect-ms=100,'
              'tls-creds=t')
    lab.fails('raw stream', 'TLS')


def test_chardev_in_use(lab):
    lab.start('-serial', 'chardev:c')
    lab.fails('in use')


def test_key_missing(lab):
    lab.start(obj=',key=k')
    lab.fails("No secret with id 'k'")


@scenario(7, 12)
def test_hello(lab):
    lab.listen()
    before = int(time.time())
    lab.start()
    _conn, hello = lab.hooked()
    size, uuid, pad, start, name, gpa = struct.unpack_from('=I16sIq64sQ', hello)
    assert (size, pad, gpa) == (len(hello), 0, 64 << 20)
    assert uuid.hex() == UUID.replace('-', '')
    assert name.rstrip(b'\0') == b'guest'
    assert before - 1 <= start <= time.time() + 1
    assert lab.log().startswith('HOOK 0\nCOMMAND 1 -1\nEVENT 1 -1\n')
    assert 'no key' in lab.stderr()


@scenario(12)
def test_max_gpa_above_4g(lab):
    lab.listen()
    lab.start('-M', 'q35', '-m', '4G')
    _conn, hello = lab.accept()
    assert struct.unpack_from('=Q', hello, 96)[0] > 4 << 30


@scenario(6)
def test_permissions(lab):
    lab.listen()
    lab.start(obj=',command=16,command=vm-get-info,event=unhook')
    # It may not ask to be asked.
    _conn, _ = lab.hooked(quiet=True)
    assert lab.log().startswith(
        'HOOK 0\nCOMMAND 1 16\nCOMMAND 1 8\nEVENT 1 0\n'), lab.log()


@scenario(14)
def test_reply_byte_by_byte(lab):
    lab.listen()
    lab.start()
    conn, _ = lab.accept()
    for byte in reply():
        conn.sendall(bytes([byte]))
        time.sleep(0.002)
    wait_for('hook', lambda: 'EVENT' in lab.log())


@scenario(15)
def test_reply_then_command(lab):
    """What follows the reply is the kernel's, to the byte."""
    lab.listen()
    lab.start()
    conn, _ = lab.accept()
    conn.sendall(reply(size=64) + command(GET_VERSION, seq=7))
    answered(conn, GET_VERSION, seq=7)
    wait_for('hook', lambda: 'EVENT' in lab.log())


@scenario(14)
def test_reply_malformed(lab):
    lab.listen()
    lab.start()
    for size in 0, 3, 23, 65537, 0xffffffff:
        conn, _ = lab.accept()
        conn.sendall(struct.pack('=I', size))
        assert at_end(conn)
    assert 'HOOK' not in lab.log()
    assert lab.stderr().count('malformed') == 1


@scenario(13)
def test_handshake_timeout(lab):
    lab.listen()
    lab.start(obj=',handshake_timeout=1')
    conn, _ = lab.accept()
    begin = time.monotonic()
    assert at_end(conn)
    assert 0.5 < time.monotonic() - begin < 1 + soon(1)
    lab.accept()
    assert 'HOOK' not in lab.log()


def test_handshake_without_timeout(lab):
    lab.listen()
    lab.start(obj=',handshake_timeout=0')
    conn, _ = lab.accept()
    time.sleep(0.5)
    conn.sendall(reply())
    wait_for('hook', lambda: 'EVENT' in lab.log())


@scenario(18)
def test_tool_comes_later(lab):
    lab.start()
    lab.qmp()
    time.sleep(0.3)
    lab.listen()
    lab.hooked()


def test_reconnect(lab):
    lab.listen()
    lab.start()
    conn, first = lab.hooked()
    conn.close()
    conn, second = lab.hooked()
    # What follows has a nonce: see tails.py.
    assert first[4:104] == second[4:104]
    session = ['HOOK 0', 'COMMAND 1 -1', 'EVENT 1 -1']
    assert [line for line in lab.log().splitlines()
            if line.split()[0] not in ('RECEIVED', 'END')] == \
        session + ['UNHOOK'] + session


def test_last_words(lab):
    """What the tool says before it leaves is heard."""
    lab.listen()
    lab.start()
    conn, _ = lab.hooked()
    lab.slow()
    conn.sendall(command(GET_VERSION, seq=2))
    wait_for('first', lambda: 'RECEIVED 2\n' in lab.log())
    for seq in range(3, 10):
        conn.sendall(command(GET_VERSION, seq=seq))
    conn.close()
    wait_for('end', lambda: 'UNHOOK' in lab.log())
    log = lab.log()
    assert 'RECEIVED 9\n' in log, log
    assert log.index('RECEIVED 9') < log.index('UNHOOK'), log


@scenario(17)
def test_tool_does_not_read(lab):
    lab.listen()
    lab.start(obj=',handshake_timeout=1')
    conn, _ = lab.listener.accept()
    time.sleep(1.3)
    conn.close()
    lab.hooked()


@scenario(9)
def test_properties(lab):
    lab.start(chardev=f'socket,id=c,path={lab.tool_path},reconnect-ms=100')
    qmp = lab.qmp()
    names = {p['name'] for p in qmp.ok('qom-list', path='/objects/v')}
    defaults = {'handshake_timeout': 10, 'unhook_timeout': 60,
                'stall_timeout': 60, 'async_unhook': True,
                'unhook_on_shutdown': True, 'problem': ''}
    assert names >= {'chardev', 'key', 'command', 'event', *defaults}
    for name, value in defaults.items():
        assert qmp.ok('qom-get', path='/objects/v', property=name) == value
        if name != 'problem':
            qmp.ok('qom-set', path='/objects/v', property=name,
                   value=value if isinstance(value, bool) else 5)


@scenario(17)
def test_tool_leaves_at_any_byte(lab):
    lab.listen()
    lab.start()
    for n in range(24):
        conn, _ = lab.accept()
        conn.sendall(reply()[:n])
        conn.close()
    lab.hooked()


def hook_errors(err, words):
    @scenario(10)
    def test(lab):
        lab.listen()
        lab.fail(f'HOOK {err}\n')
        lab.start()
        for _ in range(3):
            conn, _ = lab.accept()
            conn.sendall(reply())
            assert at_end(conn)
        assert lab.stderr().count(words) == 1, lab.stderr()
        lab.fail('')
        lab.hooked()
    test.__name__ = f'test_hook_error_{err}'
    return test


@scenario(10)
def test_hook_eexist(lab):
    lab.listen()
    lab.fail(f'HOOK {EEXIST}\n')
    lab.start()
    for n in range(6):
        assert ('earlier' in lab.stderr()) == (n > 4)
        conn, _ = lab.accept()
        conn.sendall(reply())
        assert at_end(conn)
    lab.fail('')
    lab.hooked()


def test_problem(lab):
    """What warnings say can be asked for, as long as it is true."""
    lab.listen()
    lab.fail(f'HOOK {EOPNOTSUPP}\n')
    lab.start()
    qmp = lab.qmp()

    def problem():
        return qmp.ok('qom-get', path='/objects/v', property='problem')

    assert problem() == ''
    conn, _ = lab.accept()
    conn.sendall(reply())
    assert at_end(conn)
    assert 'cannot be introspected' in problem()
    assert problem() in lab.stderr()
    lab.fail('')
    lab.hooked()
    assert problem() == ''


@scenario(11)
def test_permission_refused(lab):
    lab.listen()
    if not lab.real:
        lab.fail(f'COMMAND {EINVAL}\n')
    lab.start(obj=',command=999')
    conn, _ = lab.accept()
    conn.sendall(reply())
    assert at_end(conn)
    assert lab.log().startswith('HOOK 0\nCOMMAND 1 999\nUNHOOK\n')
    wait_for('warning', lambda: 'command 999' in lab.stderr())


@scenario(44)
def test_reset(lab):
    lab.listen()
    lab.start()
    conn, first = lab.hooked()
    qmp = lab.qmp()
    qmp.ok('system_reset')
    assert at_end(conn)
    _, second = lab.hooked()
    assert struct.unpack_from('=q', second, 24) > struct.unpack_from('=q', first, 24)


def test_not_while_incoming(lab):
    lab.listen()
    lab.start('-incoming', 'defer')
    qmp = lab.qmp()
    assert qmp.ok('query-status')['status'] == 'inmigrate'
    conn, _ = lab.listener.accept()
    conn.settimeout(soon(5))
    assert at_end(conn)
    assert 'HOOK' not in lab.log()


@scenario(4, 5, 8, 9, 52)
def test_hot_add_and_delete(lab):
    lab.listen()
    lab.start(obj=False, chardev='null,id=d')
    qmp = lab.qmp()
    addr = {'type': 'unix', 'data': {'path': lab.tool_path}}
    qmp.ok('chardev-add', id='c', backend={'type': 'socket', 'data': {
        'addr': addr, 'server': False, 'reconnect-ms': 500}})
    add = {'qom-type': 'introspection', 'id': 'v', 'chardev': 'c'}
    assert 'command' in qmp.error('object-add', **add, command='16')
    assert 'nonsense' in qmp.error('object-add', **add, event=['nonsense'])
    assert "'x' not found" in qmp.error('object-add', **{**add, 'chardev': 'x'})
    for _ in range(5):
        qmp.ok('object-add', **add, command=['16', 'vm-get-info'])
        assert qmp.ok('qom-get', path='/objects/v', property='command') == \
            ['16', 'vm-get-info']
        assert qmp.ok('qom-get', path='/objects/v',
                      property='handshake_timeout') == 10
        assert "'v'" in qmp.error('object-add', **{**add, 'id': 'w'})
        conn, _ = lab.hooked(quiet=True)
        assert 'in use' in qmp.error('object-del', id='v')
        assert 'busy' in qmp.error('chardev-remove', id='c')
        conn.close()
        wait_for('deletion', lambda: 'return' in qmp('object-del', id='v'), 0.4)
    qmp.ok('chardev-remove', id='c')
    qmp.ok('system_reset')
    qmp.ok('quit')
    assert lab.vm.wait(soon(5)) == 0


@scenario(54)
def test_many_sessions(lab):
    """Nothing is left behind by a session."""
    def fds():
        return len(os.listdir(f'/proc/{lab.vm.pid}/fd'))

    lab.listen()
    lab.start(chardev=f'socket,id=c,path={lab.tool_path},reconnect-ms=1')
    conn, _ = lab.hooked()
    before = fds()
    for n in range(1000):
        conn.close()
        if n % 2:
            early, _ = lab.accept()
            early.sendall(reply()[:n % 24])
            early.close()
        conn, _ = lab.hooked()
    assert fds() == before, (fds(), before)


def main():
    return run_all(named(globals(), 'tcg_'), named(globals(), 'test_') + [
        hook_errors(err, words) for err, words in (
            (EPERM, 'switched off'), (EBUSY, 'nested guest'),
            (ENOTTY, 'does not know'), (EOPNOTSUPP, 'cannot be introspected'),
            (EINVAL, 'Invalid argument'))])


if __name__ == '__main__':
    sys.exit(main())
