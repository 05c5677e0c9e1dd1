"""Statistics of a git repository, by calling git."""

import shlex
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path


class CommandError(RuntimeError):
    def __init__(self, command, returncode, stderr):
        self.command = command
        self.returncode = returncode
        self.stderr = stderr
        super().__init__(f"{shlex.join(command)} failed with {returncode}: {stderr.strip()}")


def run(*command, cwd=None, timeout=60):
    """Run a command and return what it printed."""
    try:
        result = subprocess.run(
            command, cwd=cwd, capture_output=True, text=True, timeout=timeout
        )
    except FileNotFoundError:
        raise CommandError(command, 127, "command not found") from None
    if result.returncode != 0:
        raise CommandError(command, result.returncode, result.stderr)
    return result.stdout


@dataclass
class Commit:
    hash: str
    author: str
    date: datetime
    subject: str


class Repository:
    def __init__(self, path="."):
        self.path = Path(path)

    def git(self, *args):
        return run("git", *args, cwd=self.path)

    @property
    def branch(self):
        return self.git("rev-parse", "--abbrev-ref", "HEAD").strip()

    def commits(self, since=None):
        args = ["log", "--pretty=format:%H%x09%an%x09%aI%x09%s"]
        if since:
            args.append(f"--since={since}")
        for line in self.git(*args).splitlines():
            commit_hash, author, date, subject = line.split("\t", 3)
            yield Commit(commit_hash, author, datetime.fromisoformat(date), subject)

    def changed_files(self):
        counter = Counter()
        for line in self.git("log", "--name-only", "--pretty=format:").splitlines():
            if line:
                counter[line] += 1
        return counter

    def is_clean(self):
        return self.git("status", "--porcelain") == ""


def print_stats(repo):
    commits = list(repo.commits())
    authors = Counter(commit.author for commit in commits)
    weekdays = Counter(commit.date.strftime("%A") for commit in commits)
    print(f"{len(commits)} commits on {repo.branch}")
    print("Authors:")
    for author, count in authors.most_common(10):
        print(f"  {count:5} {author}")
    print("Most active day:", weekdays.most_common(1)[0][0])
    print("Files that change most:")
    for name, count in repo.changed_files().most_common(5):
        print(f"  {count:5} {name}")


if __name__ == "__main__":
    path = sys.argv[1] if len(sys.argv) > 1 else "."
    try:
        print_stats(Repository(path))
    except CommandError as error:
        sys.exit(str(error))
