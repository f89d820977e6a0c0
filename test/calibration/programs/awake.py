"""Keeps CPUs from going to sleep: the host of a virtual machine may take its time over waking them up again.

awake.py CPU...   prints "ready"; ends when it is killed

It takes only time that nobody else wants (SCHED_IDLE), and gives way at once.
"""
import os
import signal
import sys

me = os.getpid()
for cpu in map(int, sys.argv[1:]):
    if os.fork() == 0:
        os.sched_setaffinity(0, {cpu})
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
        while os.getppid() == me:
            for _ in range(10_000):
                pass
        os._exit(0)
print("ready", flush=True)
signal.pause()
