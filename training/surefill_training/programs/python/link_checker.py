"""Checks the links of a page concurrently."""

import asyncio
import sys
from html.parser import HTMLParser
from urllib.parse import urljoin, urlparse

import aiohttp

MAX_WORKERS = 10


class LinkParser(HTMLParser):
    def __init__(self, base):
        super().__init__()
        self.base = base
        self.links = set()

    def handle_starttag(self, tag, attrs):
        if tag != "a":
            return
        href = dict(attrs).get("href")
        if href:
            url = urljoin(self.base, href)
            if urlparse(url).scheme in ("http", "https"):
                self.links.add(url.split("#")[0])


async def fetch(session, url):
    async with session.get(url) as response:
        response.raise_for_status()
        return await response.text()


async def worker(name, queue, session, results):
    while True:
        url = await queue.get()
        try:
            async with session.head(url, allow_redirects=True) as response:
                results[url] = response.status
        except (aiohttp.ClientError, asyncio.TimeoutError) as exc:
            results[url] = exc.__class__.__name__
        finally:
            queue.task_done()


async def check(url):
    timeout = aiohttp.ClientTimeout(total=15)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        parser = LinkParser(url)
        parser.feed(await fetch(session, url))

        queue = asyncio.Queue()
        for link in parser.links:
            queue.put_nowait(link)

        results = {}
        tasks = [
            asyncio.create_task(worker(f"worker-{i}", queue, session, results))
            for i in range(MAX_WORKERS)
        ]
        await queue.join()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return results


def main():
    results = asyncio.run(check(sys.argv[1]))
    broken = {url: status for url, status in results.items() if status != 200}
    for url, status in sorted(broken.items()):
        print(status, url)
    print(f"{len(results)} links checked, {len(broken)} broken")
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
