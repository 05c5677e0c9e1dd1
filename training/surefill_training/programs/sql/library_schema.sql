-- Schema of a small town library with a few rows to try it out.

CREATE TABLE authors (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    birth_year INTEGER
);

CREATE TABLE books (
    id INTEGER PRIMARY KEY,
    title TEXT NOT NULL,
    author_id INTEGER NOT NULL REFERENCES authors (id),
    isbn TEXT UNIQUE,
    published INTEGER,
    copies INTEGER NOT NULL DEFAULT 1
);

CREATE TABLE members (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    email TEXT NOT NULL UNIQUE,
    joined_on DATE NOT NULL
);

-- A loan is open as long as returned_on is null.
CREATE TABLE loans (
    id INTEGER PRIMARY KEY,
    book_id INTEGER NOT NULL REFERENCES books (id),
    member_id INTEGER NOT NULL REFERENCES members (id) ON DELETE CASCADE,
    borrowed_on DATE NOT NULL,
    due_on DATE NOT NULL,
    returned_on DATE
);

CREATE INDEX idx_books_author ON books (author_id);
CREATE INDEX idx_loans_member ON loans (member_id, returned_on);

INSERT INTO authors (id, name, birth_year) VALUES
    (1, 'Ursula K. Le Guin', 1929),
    (2, 'Stanislaw Lem', 1921),
    (3, 'Octavia E. Butler', 1947);

INSERT INTO books (id, title, author_id, isbn, published, copies) VALUES
    (1, 'The Dispossessed', 1, '9780061054884', 1974, 2),
    (2, 'The Left Hand of Darkness', 1, '9780441478125', 1969, 1),
    (3, 'Solaris', 2, '9780156027601', 1961, 3),
    (4, 'Kindred', 3, '9780807083697', 1979, 1);

INSERT INTO members (id, name, email, joined_on) VALUES
    (1, 'Anna Berg', 'anna@example.org', '2023-02-11'),
    (2, 'Tom Reyes', 'tom@example.org', '2023-05-30'),
    (3, 'Li Wei', 'li.wei@example.org', '2024-01-08');

INSERT INTO loans (book_id, member_id, borrowed_on, due_on, returned_on) VALUES
    (1, 1, '2024-03-01', '2024-03-22', '2024-03-20'),
    (3, 1, '2024-03-20', '2024-04-10', NULL),
    (2, 2, '2024-03-25', '2024-04-15', NULL),
    (4, 3, '2024-04-02', '2024-04-23', '2024-04-30');

-- Everything that is out at the moment, oldest first
SELECT m.name, b.title, l.due_on
FROM loans AS l
JOIN books AS b ON b.id = l.book_id
JOIN members AS m ON m.id = l.member_id
WHERE l.returned_on IS NULL
ORDER BY l.due_on;

-- How many copies of each book are left on the shelf?
SELECT b.title, b.copies - COUNT(l.id) AS available
FROM books AS b
LEFT JOIN loans AS l ON l.book_id = b.id AND l.returned_on IS NULL
GROUP BY b.id, b.title, b.copies
HAVING b.copies - COUNT(l.id) > 0
ORDER BY available DESC, b.title;

-- Most popular authors
SELECT a.name, COUNT(l.id) AS times_borrowed
FROM authors AS a
JOIN books AS b ON b.author_id = a.id
JOIN loans AS l ON l.book_id = b.id
GROUP BY a.id, a.name
ORDER BY times_borrowed DESC
LIMIT 10;

-- Members who have never borrowed anything
SELECT name, email
FROM members
WHERE NOT EXISTS (
    SELECT 1 FROM loans WHERE loans.member_id = members.id
);
