#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What waits for the tool to leave, and what does not: stop, powerdown, the end
of QEMU, removal."""

import os
import sys
import time

from crash import faulting
from rig import named, run_all, scenario, soon, wait_for
from session import disconnected, hooked, start_time
from wire import asked, at_end, leave

ENOENT = 2


@scenario(21, 22, 55)
def test_stop_waits_and_cont_reconnects(lab):
    conn, hello, a, b = hooked(lab)
    assert a.state() == 'hooked'
    a.send('stop')
    asked(conn)
    assert a.event('INTROSPECTION_UNHOOK_PENDING') == \
        {'id': 'v', 'action': 'stop', 'timeout': 60}
    a.send('query-status')
    a.no_reply()
    assert b.status() == 'running'
    info = b.ok('query-introspection')
    assert info['state'] == 'unhooking' and info['pending'] == ['stop']
    assert 50 < info['unhook-seconds'] <= 60
    assert 'asked to leave' in b.hmp('info introspection')
    conn.close()
    assert a.done('stop') == {}
    assert a.done('query-status')['status'] == 'paused'
    disconnected(a, 'unhooked')
    a.event('STOP')
    assert lab.lines() == ['HOOK 0', 'PREUNHOOK 0', 'UNHOOK']
    lab.silence()
    assert a.state() == 'held'
    begin = time.monotonic()
    a.ok('cont')
    _conn, second = lab.hooked()
    assert time.monotonic() - begin < soon(0.3)
    assert start_time(second) == start_time(hello)
    assert a.state() == 'hooked'
    a.event('INTROSPECTION_CONNECTED')
    assert a.event('INTROSPECTION_HOOKED') == \
        {'id': 'v', 'authenticated': False}


@scenario(23)
def test_stop_does_not_wait_for_ever(lab):
    conn, _, a, _ = hooked(lab, obj=',unhook_timeout=1')
    begin = time.monotonic()
    a.ok('stop')
    assert 0.9 < time.monotonic() - begin < 1 + soon(1)
    asked(conn)
    assert at_end(conn)
    assert a.status() == 'paused'
    disconnected(a, 'unhook-timeout')
    assert 'asked to leave and did not' in lab.stderr()


def test_unhook_timeout_zero_is_not_to_wait(lab):
    conn, _, a, _ = hooked(lab, obj=',unhook_timeout=0')
    a.ok('stop')
    assert at_end(conn)
    assert 'PREUNHOOK' not in lab.log()


@scenario(24)
def test_stop_of_a_tool_that_cannot_be_asked(lab):
    if not lab.real:
        lab.fail(f'PREUNHOOK {ENOENT}\n')
    conn, _, a, _ = hooked(lab, quiet=True)
    a.ok('stop')
    assert at_end(conn)
    assert f'PREUNHOOK -{ENOENT}' in lab.log()
    assert a.status() == 'paused'
    disconnected(a, 'unhook-refused')


@scenario(25)
def test_cont_takes_a_stop_back(lab):
    conn, _, a, b = hooked(lab)
    a.send('stop')
    asked(conn)
    b.ok('cont')
    answer = a.reply()
    assert answer['id'] == 'stop' and 'taken back' in answer['error']['desc']
    conn.close()
    conn, _ = lab.hooked()
    assert not a.seen('STOP')
    a.send('stop')
    leave(conn)
    a.done('stop')
    assert a.status() == 'paused'


@scenario(26)
def test_two_stops_are_one(lab):
    conn, _, a, b = hooked(lab)
    a.send('stop')
    asked(conn)
    b.send('stop')
    b.no_reply(0.2)
    conn.close()
    a.done('stop')
    b.done('stop')
    assert lab.log().count('PREUNHOOK') == 1


@scenario(26)
def test_reply_is_not_for_the_next_client(lab):
    conn, _, a, b = hooked(lab)
    a.send('stop')
    asked(conn)
    a.sock.close()
    a.lines.close()
    a = lab.qmp()
    assert a.status() == 'running'
    conn.close()
    wait_for('stop', lambda: b.status() == 'paused')
    a.no_reply()
    assert a.status() == 'paused'


@scenario(26)
def test_many_clients_come_and_go(lab):
    """Whether the monitor is suspended comes out even."""
    conn, _, a, b = hooked(lab)
    for _ in range(20):
        a.send('stop')
        asked(conn)
        a.sock.close()
        a.lines.close()
        a = lab.qmp()
        conn.close()
        wait_for('stop', lambda: b.status() == 'paused')
        assert a.status() == 'paused'
        a.ok('cont')
        conn, _ = lab.hooked()


def test_stop_with_oob(lab):
    """Out-of-band commands go on; those behind the stop wait in order."""
    lab.listen()
    lab.start()
    conn, _ = lab.hooked()
    b = lab.qmp(oob=True)
    b.send('stop')
    asked(conn)
    for _ in range(3):
        b.send('query-status')
    b.no_reply(0.2)
    b.send_oob('query-yank')
    assert b.reply()['id'] == 'query-yank'
    conn.close()
    b.done('stop')
    for _ in range(3):
        assert b.done('query-status')['status'] == 'paused'


@scenario(27)
def test_quit_while_a_stop_waits(lab):
    conn, _, a, b = hooked(lab)
    a.send('stop')
    asked(conn)
    begin = time.monotonic()
    b.ok('quit')
    assert lab.vm.wait(soon(5)) == 0
    assert time.monotonic() - begin < soon(1)
    assert at_end(conn)


@scenario(27)
def test_reset_while_a_stop_waits(lab):
    conn, _, a, b = hooked(lab)
    a.send('stop')
    asked(conn)
    b.ok('system_reset')
    assert at_end(conn)
    a.done('stop')
    b.event('RESET')
    assert b.status() in ('prelaunch', 'paused')
    assert lab.lines().count('UNHOOK') == 1


@scenario(44)
def test_reset_of_a_stopped_vm(lab):
    """It is as with -S: the tool may come before the first instruction."""
    conn, _, a, _ = hooked(lab)
    a.send('stop')
    leave(conn)
    a.done('stop')
    a.ok('system_reset')
    a.event('RESET')
    assert a.status() == 'prelaunch'
    _conn, _ = lab.hooked()
    assert a.state() == 'hooked'


@scenario(28)
def test_stop_without_a_session(lab):
    lab.listen()
    lab.start()
    a = lab.qmp()
    conn, _ = lab.accept()
    a.ok('stop')
    assert at_end(conn)
    a.ok('stop')
    assert a.status() == 'paused'
    lab.silence(0.3)
    assert 'HOOK' not in lab.log()
    disconnected(a, 'held')


@scenario(29)
def test_stop_in_the_old_way(lab):
    """Nothing else is executed meanwhile, and nothing hangs."""
    conn, _, a, b = hooked(lab, obj=',async_unhook=off')
    a.send('stop')
    asked(conn)
    b.send('query-status')
    b.no_reply(0.2)
    conn.close()
    a.done('stop')
    assert b.done('query-status')['status'] == 'paused'
    a.ok('cont')
    conn, _ = lab.hooked()
    b.send('human-monitor-command', **{'command-line': 'stop'})
    leave(conn)
    b.done('human-monitor-command')
    assert a.status() == 'paused'


@scenario(29)
def test_stop_of_the_human_monitor(lab):
    conn, _, a, b = hooked(lab)
    assert 'Waiting for the introspection tool' in a.hmp('stop')
    assert a.status() == 'running'
    leave(conn)
    wait_for('stop', lambda: a.status() == 'paused')


def test_old_way_and_sigterm(lab):
    conn, _, a, _ = hooked(lab, obj=',async_unhook=off')
    a.send('stop')
    asked(conn)
    lab.vm.terminate()
    assert lab.vm.wait(soon(5)) == 0


@scenario(30)
def test_session_before_the_first_instruction(lab):
    lab.listen()
    lab.start('-S')
    conn, _ = lab.hooked()
    a = lab.qmp()
    a.ok('cont')
    assert a.status() == 'running'
    assert 'UNHOOK' not in lab.log()
    assert a.state() == 'hooked'


@scenario(46)
def test_powerdown_waits(lab):
    conn, _, a, _ = hooked(lab)
    a.ok('system_powerdown')
    asked(conn)
    assert a.status() == 'running'
    assert not a.seen('POWERDOWN')
    conn.close()
    a.event('POWERDOWN')
    lab.hooked()
    assert a.status() == 'running'


@scenario(46)
def test_powerdown_does_not_wait(lab):
    conn, _, a, _ = hooked(lab, obj=',unhook_on_shutdown=off')
    a.ok('system_powerdown')
    a.event('POWERDOWN')
    assert a.state() == 'hooked'
    assert 'PREUNHOOK' not in lab.log()


@scenario(46, 26)
def test_stop_and_powerdown_wait_together(lab):
    conn, _, a, b = hooked(lab)
    a.send('stop')
    asked(conn)
    b.ok('system_powerdown')
    wait_for('both', lambda: b.ok('query-introspection')['pending'] ==
             ['stop', 'powerdown'])
    b.send('introspection-disconnect')
    b.no_reply(0.1)
    conn.close()
    a.done('stop')
    b.done('introspection-disconnect')
    a.event('POWERDOWN')
    assert lab.log().count('PREUNHOOK') == 1


@scenario(47)
def test_quit(lab):
    conn, _, a, _ = hooked(lab)
    a.ok('quit')
    assert at_end(conn)
    assert lab.vm.wait(soon(5)) == 0
    disconnected(a, 'shutdown')


@scenario(47)
def test_sigterm(lab):
    conn, _, _, _ = hooked(lab)
    lab.vm.terminate()
    assert at_end(conn)
    assert lab.vm.wait(soon(5)) == 0


@scenario(47)
def test_shutdown_that_pauses(lab):
    conn, a = faulting(lab, '-action', 'reboot=shutdown,shutdown=pause')
    a.ok('cont')
    assert at_end(conn)
    wait_for('end', lambda: a.status() == 'shutdown')
    lab.silence(0.3)
    a.ok('set-action', reboot='reset', shutdown='poweroff')
    a.ok('system_reset')
    a.event('RESET')
    a.ok('cont')
    lab.accept()


@scenario(20)
def test_documented_lines(lab):
    """As documents of the original and ours write them."""
    lab.listen()
    for n, args in enumerate((
            (f'socket,id=c,type=unix,path={lab.tool_path},reconnect=10',
             ',handshake_timeout=10,unhook_timeout=60,async_unhook=on,'
             'unhook_on_shutdown=on'),
            (f'socket,id=c,path={lab.tool_path},reconnect=10',
             ',key=k,command=10,command=8,event=1,event=3'),
            ('socket,id=c,type=vsock,cid=1,port=4321,reconnect=10', ''))):
        lab.start('-object', 'secret,id=k,data=some', chardev=args[0],
                  obj=args[1])
        qmp = lab.qmp()
        chardev = [c for c in qmp.ok('query-chardev') if c['label'] == 'c'][0]
        assert ('vsock:1:4321' if n == 2 else 'unix:') in chardev['filename']
        qmp.ok('quit')
        lab.vm.wait(soon(5))
    lab.start(chardev='socket,id=c,type=unix,cid=1,port=1')
    lab.fails("'type' is 'unix', the address is 'vsock'")


@scenario(52)
def test_disconnect_and_delete(lab):
    lab.listen()
    lab.start(obj=False, chardev='null,id=d')
    a = lab.qmp()
    for n in range(200):
        a.ok('chardev-add', id='c', backend={'type': 'socket', 'data': {
            'addr': {'type': 'unix', 'data': {'path': lab.tool_path}},
            'server': False, 'reconnect-ms': 1000}})
        a.ok('object-add', **{'qom-type': 'introspection', 'id': 'v',
                              'chardev': 'c'})
        if n % 3 == 0:
            conn, _ = lab.hooked()
        else:
            conn, _ = lab.accept()
        if n % 5 == 0:
            assert 'in use' in a.error('object-del', id='v')
            assert 'busy' in a.error('chardev-remove', id='c')
        a.ok('introspection-disconnect', force=True)
        a.ok('object-del', id='v')
        a.ok('chardev-remove', id='c')
        conn.close()
    # Nothing that is gone is called.
    a.ok('migrate', uri='exec:cat >/dev/null')
    wait_for('migration', lambda:
             a.ok('query-migrate')['status'] == 'completed')
    a.ok('cont')
    a.ok('stop')
    a.ok('system_reset')
    a.ok('quit')
    assert lab.vm.wait(soon(5)) == 0


@scenario(52)
def test_disconnect(lab):
    conn, _, a, b = hooked(lab)
    a.send('introspection-disconnect')
    asked(conn)
    a.no_reply(0.2)
    conn.close()
    a.done('introspection-disconnect')
    disconnected(a, 'unhooked')
    conn, _ = lab.hooked()
    a.ok('introspection-disconnect', force=True)
    assert at_end(conn)
    disconnected(a, 'user')
    conn, _ = lab.accept()
    a.ok('introspection-disconnect')
    assert at_end(conn)
    disconnected(a, 'user')
    assert lab.log().count('PREUNHOOK') == 1


@scenario(53)
def test_held_and_nobody_listens(lab):
    """No storm of connections: the VM is stopped, the tool is gone."""
    def seconds():
        with open(f'/proc/{lab.vm.pid}/stat') as f:
            fields = f.read().rsplit(')', 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')

    lab.listen()
    lab.start(chardev=f'socket,id=c,path={lab.tool_path},reconnect-ms=1')
    conn, _ = lab.hooked()
    a = lab.qmp()
    lab.listener.close()
    os.unlink(lab.tool_path)
    a.send('stop')
    leave(conn)
    a.done('stop')
    before = seconds()
    time.sleep(3)
    assert seconds() - before < soon(0.12), seconds() - before
    lab.listen()
    lab.silence()
    a.ok('cont')
    lab.hooked()


def test_query_without_an_object(lab):
    lab.start(obj=False, chardev='null,id=c')
    a = lab.qmp()
    assert 'no introspection object' in a.error('query-introspection')
    assert 'no introspection object' in a.error('introspection-disconnect')
    assert 'no introspection object' in a.hmp('info introspection')
    a.ok('stop')
    a.ok('cont')
    a.ok('system_powerdown')
    a.event('POWERDOWN')


if __name__ == '__main__':
    sys.exit(run_all([], named(globals(), 'test_')))
