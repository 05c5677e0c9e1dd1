"""Books, authors and loans with SQLAlchemy."""

from datetime import date, timedelta
from typing import Optional

from sqlalchemy import ForeignKey, String, create_engine, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship


class Base(DeclarativeBase):
    pass


class Author(Base):
    __tablename__ = "authors"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100), unique=True)
    books: Mapped[list["Book"]] = relationship(back_populates="author")

    def __repr__(self) -> str:
        return f"Author(id={self.id!r}, name={self.name!r})"


class Book(Base):
    __tablename__ = "books"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(200))
    year: Mapped[Optional[int]]
    author_id: Mapped[int] = mapped_column(ForeignKey("authors.id"))
    author: Mapped[Author] = relationship(back_populates="books")
    loans: Mapped[list["Loan"]] = relationship(
        back_populates="book", cascade="all, delete-orphan"
    )

    def __repr__(self) -> str:
        return f"Book(id={self.id!r}, title={self.title!r})"


class Loan(Base):
    __tablename__ = "loans"

    id: Mapped[int] = mapped_column(primary_key=True)
    book_id: Mapped[int] = mapped_column(ForeignKey("books.id"))
    reader: Mapped[str] = mapped_column(String(100))
    due: Mapped[date]
    returned: Mapped[Optional[date]]
    book: Mapped[Book] = relationship(back_populates="loans")


def lend(session: Session, book_id: int, reader: str, days: int = 28) -> Loan:
    book = session.get(Book, book_id)
    if book is None:
        raise LookupError(f"no book with id {book_id}")
    if any(loan.returned is None for loan in book.loans):
        raise ValueError(f"{book.title} is already lent")
    loan = Loan(book=book, reader=reader, due=date.today() + timedelta(days=days))
    session.add(loan)
    session.commit()
    return loan


def overdue(session: Session) -> list[Loan]:
    statement = (
        select(Loan)
        .where(Loan.returned.is_(None), Loan.due < date.today())
        .order_by(Loan.due)
    )
    return list(session.scalars(statement))


def books_per_author(session: Session) -> dict[str, int]:
    statement = (
        select(Author.name, func.count(Book.id)).join(Author.books).group_by(Author.name)
    )
    return {name: count for name, count in session.execute(statement)}


if __name__ == "__main__":
    engine = create_engine("sqlite:///library.db", echo=False)
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        author = Author(name="Ursula K. Le Guin")
        author.books = [Book(title="The Dispossessed", year=1974)]
        session.add(author)
        session.commit()
        print(books_per_author(session))
