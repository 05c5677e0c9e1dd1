"""Downloads a list of files with a pool of threads."""

import argparse
import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlparse
from urllib.request import urlopen

print_lock = threading.Lock()


class Progress:
    def __init__(self, total):
        self.total = total
        self.done = 0
        self.failed = 0
        self._lock = threading.Lock()

    def finish(self, ok):
        with self._lock:
            self.done += 1
            if not ok:
                self.failed += 1

    def __str__(self):
        return f"{self.done}/{self.total} done, {self.failed} failed"


def target_name(url):
    name = Path(urlparse(url).path).name
    if not name:
        name = hashlib.sha256(url.encode()).hexdigest()[:16]
    return name


def download(url, folder, timeout):
    target = folder / target_name(url)
    if target.exists():
        return target
    partial = target.with_suffix(target.suffix + ".part")
    with urlopen(url, timeout=timeout) as response, partial.open("wb") as out:
        while chunk := response.read(64 * 1024):
            out.write(chunk)
    partial.rename(target)
    return target


def download_all(urls, folder, workers=8, timeout=30):
    progress = Progress(len(urls))
    results = {}
    with ThreadPoolExecutor(max_workers=workers) as pool:
        futures = {pool.submit(download, url, folder, timeout): url for url in urls}
        for future in as_completed(futures):
            url = futures[future]
            try:
                results[url] = future.result()
                progress.finish(ok=True)
            except (URLError, OSError) as error:
                progress.finish(ok=False)
                with print_lock:
                    print(f"{url}: {error}")
            with print_lock:
                print(progress, end="\r", flush=True)
    print()
    return results


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("list", type=argparse.FileType("r"), help="file with one URL per line")
    parser.add_argument("--folder", type=Path, default=Path("downloads"))
    parser.add_argument("--workers", type=int, default=8)
    args = parser.parse_args()

    urls = [line.strip() for line in args.list if line.strip() and not line.startswith("#")]
    args.folder.mkdir(exist_ok=True)
    results = download_all(urls, args.folder, args.workers)
    total = sum(path.stat().st_size for path in results.values())
    print(f"{len(results)} files, {total / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
