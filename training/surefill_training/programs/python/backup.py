#!/usr/bin/env python3
"""Backs up folders into dated archives and deletes old ones."""

import argparse
import fnmatch
import hashlib
import logging
import shutil
import tarfile
from datetime import datetime, timedelta
from pathlib import Path

EXCLUDE = ["*.pyc", "__pycache__", ".git", "node_modules", "*.tmp"]

log = logging.getLogger("backup")


def excluded(info):
    name = Path(info.name).name
    for pattern in EXCLUDE:
        if fnmatch.fnmatch(name, pattern):
            log.debug("excluding %s", info.name)
            return None
    return info


def checksum(path):
    digest = hashlib.sha256()
    with open(path, "rb") as f:
        for block in iter(lambda: f.read(65536), b""):
            digest.update(block)
    return digest.hexdigest()


def create_backup(source, destination):
    timestamp = datetime.now().strftime("%Y%m%d-%H%M%S")
    archive = destination / f"{source.name}-{timestamp}.tar.gz"
    log.info("writing %s", archive)
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(source, arcname=source.name, filter=excluded)
    sum_file = archive.with_name(archive.name + ".sha256")
    sum_file.write_text(f"{checksum(archive)}  {archive.name}\n")
    return archive


def remove_old(destination, days):
    limit = datetime.now() - timedelta(days=days)
    removed = 0
    for archive in destination.glob("*.tar.gz"):
        modified = datetime.fromtimestamp(archive.stat().st_mtime)
        if modified < limit:
            log.info("removing %s", archive.name)
            archive.unlink()
            archive.with_name(archive.name + ".sha256").unlink(missing_ok=True)
            removed += 1
    return removed


def human_size(size):
    for unit in ["B", "KB", "MB", "GB"]:
        if size < 1024:
            return f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TB"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sources", nargs="+", type=Path)
    parser.add_argument("-d", "--destination", type=Path, required=True)
    parser.add_argument("--keep-days", type=int, default=30)
    parser.add_argument("-v", "--verbose", action="store_true")
    args = parser.parse_args()

    logging.basicConfig(level=logging.DEBUG if args.verbose else logging.INFO)
    args.destination.mkdir(parents=True, exist_ok=True)

    free = shutil.disk_usage(args.destination).free
    log.info("free space: %s", human_size(free))

    for source in args.sources:
        if not source.is_dir():
            log.error("%s is not a folder", source)
            continue
        archive = create_backup(source.resolve(), args.destination)
        log.info("%s: %s", archive.name, human_size(archive.stat().st_size))

    removed = remove_old(args.destination, args.keep_days)
    log.info("%d old archives removed", removed)


if __name__ == "__main__":
    main()
