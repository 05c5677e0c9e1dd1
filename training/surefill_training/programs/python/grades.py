"""Reads students' grades from a CSV file and writes a report."""

import csv
import statistics
import sys
from collections import namedtuple

Student = namedtuple("Student", "name course grades")


def read_students(path):
    students = []
    with open(path, newline="", encoding="utf-8") as file:
        reader = csv.reader(file, delimiter=";")
        header = next(reader)
        for number, row in enumerate(reader, start=2):
            if len(row) < len(header):
                print(f"line {number} is too short, skipped", file=sys.stderr)
                continue
            name, course, *grades = row
            grades = [float(g.replace(",", ".")) for g in grades if g.strip()]
            students.append(Student(name.strip(), course.strip(), grades))
    return students


def average(student):
    if not student.grades:
        return None
    return statistics.mean(student.grades)


def group_by_course(students):
    courses = {}
    for student in students:
        courses.setdefault(student.course, []).append(student)
    return courses


def course_summary(students):
    averages = [average(s) for s in students if s.grades]
    return {
        "students": len(students),
        "mean": round(statistics.mean(averages), 2),
        "median": round(statistics.median(averages), 2),
        "stdev": round(statistics.stdev(averages), 2) if len(averages) > 1 else 0.0,
        "best": min(averages),
    }


def write_report(courses, path):
    fields = ["course", "students", "mean", "median", "stdev", "best"]
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=fields, delimiter=";")
        writer.writeheader()
        for course in sorted(courses):
            writer.writerow({"course": course, **course_summary(courses[course])})


def main(argv):
    if len(argv) != 3:
        print("usage: grades.py INPUT OUTPUT", file=sys.stderr)
        return 2
    students = read_students(argv[1])
    courses = group_by_course(students)
    write_report(courses, argv[2])

    failed = [s for s in students if average(s) is not None and average(s) > 4.0]
    if failed:
        print("Students who failed:")
        for student in sorted(failed, key=lambda s: s.name):
            print(f"  {student.name} ({student.course}): {average(student):.1f}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
