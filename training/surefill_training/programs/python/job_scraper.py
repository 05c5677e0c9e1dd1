"""Scrapes job offers with regular expressions, for a page that has no API."""

import json
import re
import time
import urllib.request

BASE_URL = "https://jobs.example.org/list?page={page}"
USER_AGENT = "Mozilla/5.0 (compatible; job-scraper/1.0)"

ENTRY = re.compile(r'<li class="job"[^>]*>(.*?)</li>', re.DOTALL)
TITLE = re.compile(r"<h3>\s*<a href=\"([^\"]+)\">(.*?)</a>", re.DOTALL)
SALARY = re.compile(r"(\d{1,3}(?:[.,]\d{3})*)\s*(?:-|to)\s*(\d{1,3}(?:[.,]\d{3})*)\s*(EUR|USD)")
TAG = re.compile(r"<[^>]+>")


def fetch_page(page):
    request = urllib.request.Request(
        BASE_URL.format(page=page), headers={"User-Agent": USER_AGENT}
    )
    with urllib.request.urlopen(request, timeout=20) as response:
        return response.read().decode("utf-8", errors="replace")


def strip_tags(html):
    text = TAG.sub(" ", html)
    return re.sub(r"\s+", " ", text).strip()


def parse_number(text):
    return int(re.sub(r"[.,]", "", text))


def parse_jobs(html):
    jobs = []
    for match in ENTRY.finditer(html):
        entry = match.group(1)
        title = TITLE.search(entry)
        if title is None:
            continue
        job = {
            "url": title.group(1),
            "title": strip_tags(title.group(2)),
            "remote": "remote" in entry.lower(),
        }
        salary = SALARY.search(strip_tags(entry))
        if salary:
            low, high, currency = salary.groups()
            job["salary"] = [parse_number(low), parse_number(high)]
            job["currency"] = currency
        jobs.append(job)
    return jobs


def scrape(max_pages=20):
    all_jobs = []
    for page in range(1, max_pages + 1):
        jobs = parse_jobs(fetch_page(page))
        if not jobs:
            break
        all_jobs.extend(jobs)
        print(f"page {page}: {len(jobs)} jobs")
        time.sleep(1)  # be polite
    return all_jobs


if __name__ == "__main__":
    jobs = scrape()
    remote = [job for job in jobs if job["remote"]]
    with open("jobs.json", "w") as f:
        json.dump(jobs, f, indent=2)
    print(f"{len(jobs)} jobs, {len(remote)} of them remote")
