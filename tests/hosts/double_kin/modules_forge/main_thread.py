"""Work on models is done by the main thread, one task after the other."""

import queue
import threading

_tasks = queue.Queue()


def loop():
    while True:
        work, args, done, result = _tasks.get()
        result.append(work(*args))
        done.set()


def run_and_wait_result(work, *args):
    done, result = threading.Event(), []
    _tasks.put((work, args, done, result))
    done.wait()
    return result[0]
