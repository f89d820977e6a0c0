"""Uses known shares of one CPU, in user and in system mode, until its standard input ends.

burner.py CPU USER_SHARE SYSTEM_SHARE   prints "ready", and at the end its wall time and CPU time of each kind, seconds

It measures its own CPU time with the clock of its thread, which the kernel keeps to the nanosecond, apart from the ticks of /proc/stat. Its
periods are of random length: ticks that come at a fixed pace must not always meet the same part of one.
"""
import os
import random
import select
import sys
import time

CPU, USER, SYSTEM = int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])

os.sched_setaffinity(0, {CPU})
zeros = os.open("/dev/zero", os.O_RDONLY)
memory = bytearray(1 << 20)
used = time.thread_time


def until(cpu_time, work):
    """CPU time that `work`, done again and again, took until the thread had used so much."""
    before = used()
    while used() < cpu_time:
        work()
    return used() - before


def count():
    for _ in range(2000):
        pass


def copy():
    os.readv(zeros, [memory])


copy()
print("ready", flush=True)
user = system = 0.0
start = at = time.monotonic()
while not select.select([0], [], [], max(0.0, at - time.monotonic()))[0]:
    period = random.uniform(0.01, 0.04)
    # From the clock and not from where the last period should have ended: what was missed is not made up for.
    at = time.monotonic() + period
    user += until(used() + USER * period, count)
    system += until(used() + SYSTEM * period, copy)
print(time.monotonic() - start, user, system, flush=True)
