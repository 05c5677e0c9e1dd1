"""Small FastAPI service for booking meeting rooms."""

from datetime import datetime, timedelta
from uuid import UUID, uuid4

from fastapi import Depends, FastAPI, HTTPException, status
from pydantic import BaseModel, Field, field_validator

app = FastAPI(title="Room booking")


class BookingRequest(BaseModel):
    room: str = Field(min_length=1, max_length=50)
    start: datetime
    minutes: int = Field(default=60, gt=0, le=480)
    organizer: str

    @field_validator("organizer")
    @classmethod
    def check_email(cls, value: str) -> str:
        if "@" not in value:
            raise ValueError("organizer must be an email address")
        return value.lower()


class Booking(BookingRequest):
    id: UUID = Field(default_factory=uuid4)

    @property
    def end(self) -> datetime:
        return self.start + timedelta(minutes=self.minutes)

    def overlaps(self, other: "Booking") -> bool:
        return self.start < other.end and other.start < self.end


class BookingStore:
    def __init__(self) -> None:
        self._bookings: dict[UUID, Booking] = {}

    def add(self, booking: Booking) -> None:
        for existing in self._bookings.values():
            if existing.room == booking.room and existing.overlaps(booking):
                raise ValueError(f"{booking.room} is already booked until {existing.end:%H:%M}")
        self._bookings[booking.id] = booking

    def get(self, booking_id: UUID) -> Booking | None:
        return self._bookings.get(booking_id)

    def for_room(self, room: str) -> list[Booking]:
        found = [b for b in self._bookings.values() if b.room == room]
        return sorted(found, key=lambda b: b.start)

    def remove(self, booking_id: UUID) -> bool:
        return self._bookings.pop(booking_id, None) is not None


store = BookingStore()


def get_store() -> BookingStore:
    return store


@app.post("/bookings", status_code=status.HTTP_201_CREATED)
def create_booking(request: BookingRequest, store: BookingStore = Depends(get_store)) -> Booking:
    booking = Booking(**request.model_dump())
    try:
        store.add(booking)
    except ValueError as error:
        raise HTTPException(status_code=409, detail=str(error)) from error
    return booking


@app.get("/rooms/{room}/bookings")
def list_bookings(room: str, store: BookingStore = Depends(get_store)) -> list[Booking]:
    return store.for_room(room)


@app.delete("/bookings/{booking_id}", status_code=status.HTTP_204_NO_CONTENT)
def cancel_booking(booking_id: UUID, store: BookingStore = Depends(get_store)) -> None:
    if not store.remove(booking_id):
        raise HTTPException(status_code=404, detail="Booking not found")
