from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Optional

from pydantic import BaseModel, ConfigDict, EmailStr, Field, ValidationError, model_validator


class Currency(str, Enum):
    EUR = "EUR"
    USD = "USD"
    GBP = "GBP"


class OrderStatus(str, Enum):
    NEW = "new"
    PAID = "paid"
    SHIPPED = "shipped"
    CANCELLED = "cancelled"


PositiveInt = Annotated[int, Field(gt=0)]


class Customer(BaseModel):
    model_config = ConfigDict(str_strip_whitespace=True)

    name: str
    email: EmailStr
    phone: Optional[str] = None


class OrderLine(BaseModel):
    sku: str = Field(pattern=r"^[A-Z]{3}-\d{4}$")
    quantity: PositiveInt = 1
    unit_price: Decimal

    @property
    def total(self) -> Decimal:
        return self.quantity * self.unit_price


class Order(BaseModel):
    id: int
    customer: Customer
    lines: list[OrderLine] = Field(min_length=1)
    currency: Currency = Currency.EUR
    status: OrderStatus = OrderStatus.NEW
    discount: Decimal = Decimal("0")
    created_at: datetime = Field(default_factory=datetime.now)
    shipped_at: Optional[datetime] = None

    @model_validator(mode="after")
    def check_shipping_date(self):
        if self.status == OrderStatus.SHIPPED and self.shipped_at is None:
            raise ValueError("a shipped order needs a shipping date")
        return self

    @property
    def total(self) -> Decimal:
        subtotal = sum((line.total for line in self.lines), Decimal("0"))
        return subtotal - self.discount

    def ship(self) -> "Order":
        if self.status != OrderStatus.PAID:
            raise ValueError(f"cannot ship an order that is {self.status.value}")
        return self.model_copy(
            update={"status": OrderStatus.SHIPPED, "shipped_at": datetime.now()}
        )


def parse_orders(items: list[dict]) -> tuple[list[Order], list[str]]:
    """Split raw items into valid orders and messages about the others."""
    orders, problems = [], []
    for number, item in enumerate(items):
        try:
            orders.append(Order.model_validate(item))
        except ValidationError as e:
            for error in e.errors():
                location = ".".join(str(part) for part in error["loc"])
                problems.append(f"order {number}: {location}: {error['msg']}")
    return orders, problems
