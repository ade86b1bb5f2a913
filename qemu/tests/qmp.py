# SPDX-License-Identifier: GPL-2.0-or-later
"""One of QEMU's monitors."""

import json


class Qmp:
    def __init__(self, sock, patience, oob=False):
        """Patience is for how long it waits for an answer, in seconds."""
        self.sock = sock
        self.patience = patience
        self.greeted = False
        self.lines = sock.makefile('r')
        self.events = []
        self.replies = []
        self.read()
        self.ok('qmp_capabilities', **({'enable': ['oob']} if oob else {}))

    def read(self):
        line = self.lines.readline()
        if not line:
            raise EOFError('the monitor is gone')
        message = json.loads(line)
        # Who comes before the monitor's own thread may be greeted twice.
        if 'QMP' in message and self.greeted:
            return self.read()
        self.greeted = True
        return message

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
            self.sock.settimeout(self.patience)

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
