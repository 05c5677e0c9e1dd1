#!/usr/bin/env python3
import csv
import os

INVENTORY_FILE = "inventory.csv"
LOW_STOCK = 5


class Product:
    def __init__(self, sku, name, price, quantity):
        self.sku = sku
        self.name = name
        self.price = float(price)
        self.quantity = int(quantity)

    def value(self):
        return self.price * self.quantity


class Inventory:
    def __init__(self):
        self.products = {}

    def load(self, filename=INVENTORY_FILE):
        if not os.path.exists(filename):
            return
        with open(filename) as f:
            for row in csv.DictReader(f):
                product = Product(row["sku"], row["name"], row["price"], row["quantity"])
                self.products[product.sku] = product

    def save(self, filename=INVENTORY_FILE):
        with open(filename, "w", newline="") as f:
            writer = csv.writer(f)
            writer.writerow(["sku", "name", "price", "quantity"])
            for p in self.products.values():
                writer.writerow([p.sku, p.name, p.price, p.quantity])

    def add_product(self, sku, name, price, quantity=0):
        if sku in self.products:
            print("Product already exists")
            return
        self.products[sku] = Product(sku, name, price, quantity)

    def change_stock(self, sku, amount):
        product = self.products.get(sku)
        if product is None:
            print("Unknown product")
            return False
        if product.quantity + amount < 0:
            print("Not enough in stock")
            return False
        product.quantity += amount
        return True

    def low_stock(self):
        return [p for p in self.products.values() if p.quantity < LOW_STOCK]

    def total_value(self):
        total = 0
        for product in self.products.values():
            total += product.value()
        return total

    def show(self):
        print(f"{'SKU':<10}{'Name':<25}{'Price':>10}{'Qty':>6}")
        for p in sorted(self.products.values(), key=lambda p: p.name):
            print(f"{p.sku:<10}{p.name:<25}{p.price:>10.2f}{p.quantity:>6}")
        print(f"Total value: {self.total_value():.2f}")


def menu():
    inventory = Inventory()
    inventory.load()
    while True:
        print("\n1) Show  2) Add product  3) Receive  4) Sell  5) Low stock  0) Quit")
        choice = input("Choice: ").strip()
        if choice == "1":
            inventory.show()
        elif choice == "2":
            sku = input("SKU: ")
            name = input("Name: ")
            price = input("Price: ")
            inventory.add_product(sku, name, price)
        elif choice in ("3", "4"):
            sku = input("SKU: ")
            amount = int(input("Amount: "))
            if choice == "4":
                amount = -amount
            inventory.change_stock(sku, amount)
        elif choice == "5":
            for product in inventory.low_stock():
                print(product.name, product.quantity)
        elif choice == "0":
            inventory.save()
            break
        else:
            print("Invalid choice")


if __name__ == "__main__":
    menu()
