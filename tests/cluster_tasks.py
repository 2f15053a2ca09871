"""Work that the tests send to a cluster, whose workers import it from here."""

import os
import signal
import time
import uuid


def call(function):
    return function()


def another_name():
    return uuid.uuid4().hex


def sleep(seconds):
    time.sleep(seconds)
    return os.getpid()


def hold(begun, until):
    begun.touch()
    for _ in range(12_000):  # a test that fails does not keep the workers
        if until.exists():
            break
        time.sleep(0.01)


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def fail(text):
    raise ValueError(text)
