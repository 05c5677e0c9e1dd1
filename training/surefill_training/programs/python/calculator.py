"""Tokenizer and recursive descent parser for arithmetic expressions."""

import operator
import re
from typing import NamedTuple

TOKEN_RE = re.compile(r"\s*(?:(?P<number>\d+(?:\.\d+)?)|(?P<name>[a-z]+)|(?P<op>[-+*/^()=]))")


class ParseError(Exception):
    def __init__(self, message, position):
        super().__init__(f"{message} at position {position}")
        self.position = position


class Token(NamedTuple):
    kind: str
    value: str
    position: int


def tokenize(text):
    tokens = []
    position = 0
    text = text.rstrip()
    while position < len(text):
        match = TOKEN_RE.match(text, position)
        if match is None:
            raise ParseError("unexpected character", position)
        kind = match.lastgroup
        tokens.append(Token(kind, match.group(kind), match.start(kind)))
        position = match.end()
    tokens.append(Token("end", "", len(text)))
    return tokens


class Parser:
    def __init__(self, text, variables=None):
        self.tokens = tokenize(text)
        self.index = 0
        self.variables = variables or {}

    @property
    def current(self):
        return self.tokens[self.index]

    def advance(self):
        token = self.current
        self.index += 1
        return token

    def accept(self, *values):
        if self.current.kind == "op" and self.current.value in values:
            return self.advance().value
        return None

    def expect(self, value):
        if not self.accept(value):
            raise ParseError(f"expected {value!r}", self.current.position)

    def parse(self):
        result = self.expression()
        if self.current.kind != "end":
            raise ParseError("unexpected token", self.current.position)
        return result

    def expression(self):
        left = self.term()
        while op := self.accept("+", "-"):
            right = self.term()
            left = operator.add(left, right) if op == "+" else operator.sub(left, right)
        return left

    def term(self):
        left = self.factor()
        while op := self.accept("*", "/"):
            right = self.factor()
            left = left * right if op == "*" else left / right
        return left

    def factor(self):
        if self.accept("-"):
            return -self.factor()
        base = self.atom()
        if self.accept("^"):
            return base ** self.factor()
        return base

    def atom(self):
        token = self.advance()
        if token.kind == "number":
            return float(token.value)
        if token.kind == "name":
            if token.value not in self.variables:
                raise ParseError(f"unknown variable {token.value}", token.position)
            return self.variables[token.value]
        if token.value == "(":
            result = self.expression()
            self.expect(")")
            return result
        raise ParseError("unexpected token", token.position)


if __name__ == "__main__":
    while True:
        try:
            line = input("> ")
        except EOFError:
            break
        try:
            print(Parser(line, {"pi": 3.14159}).parse())
        except (ParseError, ZeroDivisionError) as error:
            print("Error:", error)
