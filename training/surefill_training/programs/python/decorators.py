"""A few decorators that turn out to be useful everywhere."""

import functools
import logging
import random
import time

log = logging.getLogger(__name__)


def timed(func):
    """Log how long each call takes."""

    @functools.wraps(func)
    def wrapper(*args, **kwargs):
        start = time.perf_counter()
        try:
            return func(*args, **kwargs)
        finally:
            elapsed = time.perf_counter() - start
            log.debug("%s took %.3f s", func.__name__, elapsed)

    return wrapper


def retry(times=3, delay=1.0, exceptions=(Exception,)):
    """Call again when one of the exceptions is raised."""

    def decorator(func):
        @functools.wraps(func)
        def wrapper(*args, **kwargs):
            for attempt in range(1, times + 1):
                try:
                    return func(*args, **kwargs)
                except exceptions as e:
                    if attempt == times:
                        raise
                    wait = delay * 2 ** (attempt - 1) + random.uniform(0, 0.1)
                    log.warning("%s failed (%s), retrying in %.1f s", func.__name__, e, wait)
                    time.sleep(wait)

        return wrapper

    return decorator


def memoize(func):
    cache = {}

    @functools.wraps(func)
    def wrapper(*args):
        if args not in cache:
            cache[args] = func(*args)
        return cache[args]

    wrapper.cache = cache
    wrapper.clear = cache.clear
    return wrapper


def deprecated(message):
    def decorator(func):
        @functools.wraps(func)
        def wrapper(*args, **kwargs):
            log.warning("%s is deprecated: %s", func.__name__, message)
            return func(*args, **kwargs)

        return wrapper

    return decorator


class CountCalls:
    def __init__(self, func):
        functools.update_wrapper(self, func)
        self.func = func
        self.count = 0

    def __call__(self, *args, **kwargs):
        self.count += 1
        return self.func(*args, **kwargs)


@memoize
def fibonacci(n):
    if n < 2:
        return n
    return fibonacci(n - 1) + fibonacci(n - 2)


@retry(times=5, exceptions=(ConnectionError, TimeoutError))
@timed
def flaky():
    if random.random() < 0.5:
        raise ConnectionError("bad luck")
    return "ok"


if __name__ == "__main__":
    logging.basicConfig(level=logging.DEBUG)
    print(fibonacci(80))
    print(flaky())
