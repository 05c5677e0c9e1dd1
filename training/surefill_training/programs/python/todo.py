"""todo - a to-do list for the terminal."""

import json
import sys
from datetime import date
from pathlib import Path

import click

TODO_FILE = Path.home() / ".todo.json"
PRIORITIES = {"low": 1, "normal": 2, "high": 3}


def load_tasks():
    if not TODO_FILE.exists():
        return []
    try:
        return json.loads(TODO_FILE.read_text())
    except json.JSONDecodeError:
        click.echo(f"{TODO_FILE} is damaged", err=True)
        sys.exit(1)


def save_tasks(tasks):
    TODO_FILE.write_text(json.dumps(tasks, indent=2))


def find_task(tasks, task_id):
    for task in tasks:
        if task["id"] == task_id:
            return task
    raise click.ClickException(f"no task with id {task_id}")


@click.group()
def cli():
    """Manage your tasks."""


@cli.command()
@click.argument("title")
@click.option("-p", "--priority", type=click.Choice(list(PRIORITIES)), default="normal")
@click.option("--due", type=click.DateTime(formats=["%Y-%m-%d"]))
def add(title, priority, due):
    """Add a task."""
    tasks = load_tasks()
    task = {
        "id": max((t["id"] for t in tasks), default=0) + 1,
        "title": title,
        "priority": priority,
        "due": due.date().isoformat() if due else None,
        "done": False,
    }
    tasks.append(task)
    save_tasks(tasks)
    click.echo(f"Added task {task['id']}: {title}")


@cli.command("list")
@click.option("-a", "--all", "show_all", is_flag=True, help="Show finished tasks too.")
def list_tasks(show_all):
    """List open tasks."""
    tasks = load_tasks()
    if not show_all:
        tasks = [t for t in tasks if not t["done"]]
    tasks.sort(key=lambda t: (-PRIORITIES[t["priority"]], t["due"] or "9999"))
    today = date.today().isoformat()
    for task in tasks:
        mark = "x" if task["done"] else " "
        line = f"[{mark}] {task['id']:>3} {task['title']}"
        if task["due"]:
            line += f" (due {task['due']})"
        overdue = task["due"] and task["due"] < today and not task["done"]
        click.secho(line, fg="red" if overdue else None)


@cli.command()
@click.argument("task_id", type=int)
def done(task_id):
    """Mark a task as done."""
    tasks = load_tasks()
    task = find_task(tasks, task_id)
    task["done"] = True
    save_tasks(tasks)
    click.echo(f"Done: {task['title']}")


@cli.command()
@click.confirmation_option(prompt="Delete all finished tasks?")
def clean():
    """Delete finished tasks."""
    tasks = load_tasks()
    remaining = [t for t in tasks if not t["done"]]
    save_tasks(remaining)
    click.echo(f"{len(tasks) - len(remaining)} tasks deleted")


if __name__ == "__main__":
    cli()
