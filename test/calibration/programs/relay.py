"""Relays TCP connections and holds every byte, and every end of stream, for a given time.

relay.py HOLD_MS CPU LISTEN_HOST TARGET_HOST PORT...   prints "ready" once it listens on every port

It never sleeps, so that it adds next to nothing to that time, and should have its CPU to itself.
"""
import collections
import errno
import os
import selectors
import socket
import sys
import time

HOLD_NS = int(float(sys.argv[1]) * 1e6)
CPU = int(sys.argv[2])
LISTEN, TARGET = sys.argv[3], sys.argv[4]

os.sched_setaffinity(0, {CPU})
poller = selectors.DefaultSelector()
held = collections.deque()  # (due, from, to, bytes), in order of time since all are held for equally long


class End:
    """One of the two sockets of a relayed connection. Goes away when both directions have ended."""

    def __init__(self, sock):
        self.sock = sock
        self.peer = None
        self.directions = 2
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def accept(listener):
    while True:
        try:
            client, _ = listener.accept()
        except BlockingIOError:
            return
        near, far = End(client), End(socket.socket())
        near.peer, far.peer = far, near
        # Done long before there is something to pass on.
        far.sock.connect_ex((TARGET, listener.getsockname()[1]))
        for end in (near, far):
            poller.register(end.sock, selectors.EVENT_READ, end)


def take(end):
    try:
        data = end.sock.recv(65536)
    except BlockingIOError:
        return
    except OSError:
        data = b""
    held.append((time.monotonic_ns() + HOLD_NS, end, end.peer, data))
    if not data:
        poller.unregister(end.sock)


def pass_on(source, target, data):
    try:
        if data:
            target.sock.sendall(data)
            return
        target.sock.shutdown(socket.SHUT_WR)
    except OSError as error:
        if error.errno not in (errno.EPIPE, errno.ECONNRESET, errno.ENOTCONN):
            raise
    if data:
        return
    for end in (source, target):
        end.directions -= 1
        if end.directions == 0:
            end.sock.close()


for port in map(int, sys.argv[5:]):
    listener = socket.create_server((LISTEN, port), backlog=1024)
    listener.setblocking(False)
    poller.register(listener, selectors.EVENT_READ, None)
print("ready", flush=True)

while True:
    for key, _ in poller.select(0):
        if key.data is None:
            accept(key.fileobj)
        else:
            take(key.data)
    while held and held[0][0] <= time.monotonic_ns():
        pass_on(*held.popleft()[1:])
