"""An address book that is kept in a JSON file."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass
class Address:
    street: str
    city: str
    zip_code: str
    country: str = "Germany"

    def __str__(self) -> str:
        return f"{self.street}, {self.zip_code} {self.city}, {self.country}"


@dataclass
class Contact:
    name: str
    email: str | None = None
    phone: str | None = None
    address: Address | None = None
    tags: list[str] = field(default_factory=list)

    @classmethod
    def from_dict(cls, data: dict) -> Contact:
        address = data.get("address")
        return cls(
            name=data["name"],
            email=data.get("email"),
            phone=data.get("phone"),
            address=Address(**address) if address else None,
            tags=list(data.get("tags", [])),
        )


class ContactStore:
    def __init__(self, path: Path):
        self.path = path
        self.contacts: list[Contact] = []

    def load(self) -> None:
        if not self.path.exists():
            return
        with self.path.open(encoding="utf-8") as f:
            self.contacts = [Contact.from_dict(item) for item in json.load(f)]

    def save(self) -> None:
        data = [asdict(contact) for contact in self.contacts]
        tmp = self.path.with_suffix(".tmp")
        tmp.write_text(json.dumps(data, indent=2, ensure_ascii=False), encoding="utf-8")
        tmp.replace(self.path)

    def add(self, contact: Contact) -> None:
        if self.find(contact.name):
            raise ValueError(f"{contact.name} already exists")
        self.contacts.append(contact)
        self.contacts.sort(key=lambda c: c.name.lower())

    def find(self, name: str) -> Contact | None:
        for contact in self.contacts:
            if contact.name.lower() == name.lower():
                return contact
        return None

    def with_tag(self, tag: str) -> list[Contact]:
        return [contact for contact in self.contacts if tag in contact.tags]


if __name__ == "__main__":
    store = ContactStore(Path.home() / ".contacts.json")
    store.load()
    for contact in store.contacts:
        print(contact.name, contact.email or "-", contact.address or "")
