"""A simple bank with accounts, transfers and a history."""

from datetime import datetime


class InsufficientFunds(Exception):
    def __init__(self, balance, amount):
        self.balance = balance
        self.amount = amount
        super().__init__(f"cannot withdraw {amount:.2f}, balance is {balance:.2f}")


class Account:
    def __init__(self, number, owner, balance=0.0):
        self.number = number
        self.owner = owner
        self._balance = balance
        self.history = []

    @property
    def balance(self):
        return self._balance

    def deposit(self, amount):
        if amount <= 0:
            raise ValueError("amount must be positive")
        self._balance += amount
        self._record("deposit", amount)

    def withdraw(self, amount):
        if amount <= 0:
            raise ValueError("amount must be positive")
        if amount > self._balance:
            raise InsufficientFunds(self._balance, amount)
        self._balance -= amount
        self._record("withdrawal", -amount)

    def _record(self, kind, amount):
        self.history.append((datetime.now(), kind, amount))

    def __str__(self):
        return f"{self.number} ({self.owner}): {self._balance:.2f}"


class SavingsAccount(Account):
    def __init__(self, number, owner, balance=0.0, interest_rate=0.02):
        super().__init__(number, owner, balance)
        self.interest_rate = interest_rate

    def add_interest(self):
        interest = self.balance * self.interest_rate
        self.deposit(interest)
        return interest


class Bank:
    def __init__(self, name):
        self.name = name
        self.accounts = {}
        self._next_number = 1000

    def open_account(self, owner, deposit=0.0, savings=False):
        number = self._next_number
        self._next_number += 1
        cls = SavingsAccount if savings else Account
        account = cls(number, owner)
        if deposit:
            account.deposit(deposit)
        self.accounts[number] = account
        return account

    def get(self, number):
        try:
            return self.accounts[number]
        except KeyError:
            raise LookupError(f"no account with number {number}")

    def transfer(self, source, target, amount):
        source = self.get(source)
        target = self.get(target)
        source.withdraw(amount)
        target.deposit(amount)

    def total(self):
        return sum(account.balance for account in self.accounts.values())


if __name__ == "__main__":
    bank = Bank("First Bank")
    alice = bank.open_account("Alice", 500)
    bob = bank.open_account("Bob", savings=True)
    bank.transfer(alice.number, bob.number, 120)
    bob.add_interest()
    try:
        alice.withdraw(1000)
    except InsufficientFunds as e:
        print("Error:", e)
    for account in bank.accounts.values():
        print(account)
