#!/usr/bin/env python
"""Summarise a web server's access log: status codes, busiest hours, slowest pages."""

import gzip
import re
import sys
from collections import Counter, defaultdict
from datetime import datetime

LINE = re.compile(
    r'(?P<host>\S+) \S+ \S+ \[(?P<time>[^\]]+)\] '
    r'"(?P<method>[A-Z]+) (?P<path>\S+) [^"]*" (?P<status>\d{3}) (?P<size>\d+|-)'
    r'(?: (?P<duration>[\d.]+))?'
)


def open_log(path):
    if path.endswith(".gz"):
        return gzip.open(path, "rt", encoding="utf-8", errors="replace")
    return open(path, encoding="utf-8", errors="replace")


def parse_line(line):
    match = LINE.match(line)
    if not match:
        return None
    entry = match.groupdict()
    entry["time"] = datetime.strptime(entry["time"], "%d/%b/%Y:%H:%M:%S %z")
    entry["status"] = int(entry["status"])
    entry["size"] = 0 if entry["size"] == "-" else int(entry["size"])
    entry["duration"] = float(entry["duration"]) if entry["duration"] else None
    return entry


def analyse(lines):
    statuses = Counter()
    hours = Counter()
    hosts = Counter()
    durations = defaultdict(list)
    skipped = 0
    traffic = 0

    for line in lines:
        entry = parse_line(line)
        if entry is None:
            skipped += 1
            continue
        statuses[entry["status"]] += 1
        hours[entry["time"].hour] += 1
        hosts[entry["host"]] += 1
        traffic += entry["size"]
        if entry["duration"] is not None:
            path = entry["path"].split("?", 1)[0]
            durations[path].append(entry["duration"])

    return {
        "statuses": statuses,
        "hours": hours,
        "hosts": hosts,
        "durations": durations,
        "traffic": traffic,
        "skipped": skipped,
    }


def print_report(stats):
    total = sum(stats["statuses"].values())
    print(f"Requests: {total}   Traffic: {stats['traffic'] / 1024 / 1024:.1f} MB")
    for status, count in sorted(stats["statuses"].items()):
        print(f"  {status}: {count} ({100 * count / total:.1f} %)")

    print("Busiest hours:")
    for hour, count in stats["hours"].most_common(5):
        print(f"  {hour:02d}:00  {count}")

    print("Slowest pages:")
    averages = {path: sum(times) / len(times) for path, times in stats["durations"].items()}
    for path in sorted(averages, key=averages.get, reverse=True)[:10]:
        print(f"  {averages[path]:7.3f} s  {path}")

    if stats["skipped"]:
        print(f"{stats['skipped']} lines could not be parsed", file=sys.stderr)


if __name__ == "__main__":
    with open_log(sys.argv[1]) as log:
        print_report(analyse(log))
