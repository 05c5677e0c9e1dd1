from decimal import Decimal

import pytest

from shop.cart import Cart, Item, OutOfStock


@pytest.fixture
def cart():
    return Cart(currency="EUR")


@pytest.fixture
def apple():
    return Item("apple", price=Decimal("0.50"), stock=10)


@pytest.fixture
def laptop():
    return Item("laptop", price=Decimal("999.00"), stock=1)


def test_new_cart_is_empty(cart):
    assert len(cart) == 0
    assert cart.total() == 0


def test_add_item(cart, apple):
    cart.add(apple)
    assert len(cart) == 1
    assert apple in cart


def test_adding_twice_increases_quantity(cart, apple):
    cart.add(apple)
    cart.add(apple, quantity=2)
    assert len(cart) == 1
    assert cart.quantity(apple) == 3


def test_total(cart, apple, laptop):
    cart.add(apple, quantity=4)
    cart.add(laptop)
    assert cart.total() == Decimal("1001.00")


def test_remove_item(cart, apple):
    cart.add(apple)
    cart.remove(apple)
    assert apple not in cart


def test_remove_missing_item_raises(cart, apple):
    with pytest.raises(KeyError):
        cart.remove(apple)


def test_cannot_add_more_than_stock(cart, laptop):
    with pytest.raises(OutOfStock) as excinfo:
        cart.add(laptop, quantity=2)
    assert "laptop" in str(excinfo.value)
    assert len(cart) == 0


@pytest.mark.parametrize(
    "code, expected",
    [
        ("SAVE10", Decimal("90.00")),
        ("HALF", Decimal("50.00")),
        ("", Decimal("100.00")),
    ],
)
def test_discount_codes(cart, code, expected):
    cart.add(Item("chair", price=Decimal("100.00"), stock=5))
    cart.apply_discount(code)
    assert cart.total() == expected


def test_unknown_discount_is_rejected(cart):
    with pytest.raises(ValueError, match="unknown code"):
        cart.apply_discount("FREE")


def test_checkout_writes_receipt(cart, apple, tmp_path):
    cart.add(apple, quantity=2)
    receipt = tmp_path / "receipt.txt"
    cart.checkout(receipt)
    text = receipt.read_text()
    assert "apple" in text
    assert "1.00" in text
