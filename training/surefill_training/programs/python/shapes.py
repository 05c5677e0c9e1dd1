import math
from abc import ABC, abstractmethod


class Shape(ABC):
    """Base class of all shapes."""

    def __init__(self, name):
        self.name = name

    @abstractmethod
    def area(self):
        pass

    @abstractmethod
    def perimeter(self):
        pass

    def describe(self):
        return f"{self.name}: area {self.area():.2f}, perimeter {self.perimeter():.2f}"

    def __lt__(self, other):
        return self.area() < other.area()

    def __repr__(self):
        return f"<{self.__class__.__name__} {self.name}>"


class Circle(Shape):
    def __init__(self, radius):
        super().__init__("circle")
        if radius < 0:
            raise ValueError("radius cannot be negative")
        self.radius = radius

    def area(self):
        return math.pi * self.radius ** 2

    def perimeter(self):
        return 2 * math.pi * self.radius


class Rectangle(Shape):
    def __init__(self, width, height):
        super().__init__("rectangle")
        self.width = width
        self.height = height

    def area(self):
        return self.width * self.height

    def perimeter(self):
        return 2 * (self.width + self.height)

    @property
    def diagonal(self):
        return math.hypot(self.width, self.height)


class Square(Rectangle):
    def __init__(self, side):
        super().__init__(side, side)
        self.name = "square"


class Triangle(Shape):
    def __init__(self, a, b, c):
        super().__init__("triangle")
        if a + b <= c or a + c <= b or b + c <= a:
            raise ValueError("not a valid triangle")
        self.a, self.b, self.c = a, b, c

    def perimeter(self):
        return self.a + self.b + self.c

    def area(self):
        # Heron's formula
        s = self.perimeter() / 2
        return math.sqrt(s * (s - self.a) * (s - self.b) * (s - self.c))


if __name__ == "__main__":
    shapes = [Circle(2), Rectangle(3, 4), Square(2.5), Triangle(3, 4, 5)]
    for shape in sorted(shapes):
        print(shape.describe())
    largest = max(shapes, key=lambda s: s.area())
    print("largest:", largest)
    print("total area:", sum(shape.area() for shape in shapes))
