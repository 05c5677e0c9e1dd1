"""Keeps track of expenses in an SQLite database."""

import argparse
import sqlite3
from contextlib import closing
from datetime import date

SCHEMA = """
CREATE TABLE IF NOT EXISTS expenses (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    day TEXT NOT NULL,
    category TEXT NOT NULL,
    amount REAL NOT NULL,
    note TEXT
)
"""


def connect(path):
    conn = sqlite3.connect(path)
    conn.row_factory = sqlite3.Row
    conn.execute(SCHEMA)
    return conn


def add_expense(conn, category, amount, note=None, day=None):
    if amount <= 0:
        raise ValueError("amount must be positive")
    day = day or date.today().isoformat()
    with conn:
        cursor = conn.execute(
            "INSERT INTO expenses (day, category, amount, note) VALUES (?, ?, ?, ?)",
            (day, category, amount, note),
        )
    return cursor.lastrowid


def delete_expense(conn, expense_id):
    with conn:
        cursor = conn.execute("DELETE FROM expenses WHERE id = ?", (expense_id,))
    return cursor.rowcount > 0


def summary(conn, month):
    """Total of each category in a month given as YYYY-MM."""
    rows = conn.execute(
        "SELECT category, SUM(amount) AS total FROM expenses "
        "WHERE day LIKE ? GROUP BY category ORDER BY total DESC",
        (month + "-%",),
    )
    return {row["category"]: row["total"] for row in rows}


def print_summary(conn, month):
    totals = summary(conn, month)
    if not totals:
        print("No expenses in", month)
        return
    for category, total in totals.items():
        print(f"{category:<20}{total:>10.2f}")
    print("-" * 30)
    print(f"{'total':<20}{sum(totals.values()):>10.2f}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--db", default="expenses.db")
    commands = parser.add_subparsers(dest="command", required=True)

    add = commands.add_parser("add", help="add an expense")
    add.add_argument("category")
    add.add_argument("amount", type=float)
    add.add_argument("--note")

    report = commands.add_parser("report", help="show a month")
    report.add_argument("month", nargs="?", default=date.today().strftime("%Y-%m"))

    args = parser.parse_args()
    with closing(connect(args.db)) as conn:
        if args.command == "add":
            new_id = add_expense(conn, args.category, args.amount, args.note)
            print(f"added expense {new_id}")
        elif args.command == "report":
            print_summary(conn, args.month)


if __name__ == "__main__":
    main()
