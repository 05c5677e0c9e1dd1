import os
import random
import time


class Life:
    def __init__(self, width, height):
        self.width = width
        self.height = height
        self.cells = set()
        self.generation = 0

    def randomize(self, density=0.25):
        for y in range(self.height):
            for x in range(self.width):
                if random.random() < density:
                    self.cells.add((x, y))

    def add_pattern(self, pattern, left=0, top=0):
        """Add a pattern given as lines where O is a living cell."""
        for y, line in enumerate(pattern.strip().split("\n")):
            for x, char in enumerate(line.strip()):
                if char == "O":
                    self.cells.add((left + x, top + y))

    def count_neighbors(self, x, y):
        count = 0
        for dx in (-1, 0, 1):
            for dy in (-1, 0, 1):
                if dx == 0 and dy == 0:
                    continue
                # the world is a torus
                nx = (x + dx) % self.width
                ny = (y + dy) % self.height
                if (nx, ny) in self.cells:
                    count += 1
        return count

    def step(self):
        new_cells = set()
        for y in range(self.height):
            for x in range(self.width):
                alive = (x, y) in self.cells
                neighbors = self.count_neighbors(x, y)
                if alive and neighbors in (2, 3):
                    new_cells.add((x, y))
                elif not alive and neighbors == 3:
                    new_cells.add((x, y))
        self.cells = new_cells
        self.generation += 1

    def __str__(self):
        rows = []
        for y in range(self.height):
            row = "".join("█" if (x, y) in self.cells else " " for x in range(self.width))
            rows.append(row)
        return "\n".join(rows)


GLIDER = """
.O.
..O
OOO
"""


def main():
    life = Life(60, 25)
    life.randomize(0.2)
    life.add_pattern(GLIDER, 5, 5)
    try:
        while life.cells:
            os.system("cls" if os.name == "nt" else "clear")
            print(life)
            print(f"Generation {life.generation}, {len(life.cells)} cells")
            life.step()
            time.sleep(0.1)
    except KeyboardInterrupt:
        print("Bye!")


if __name__ == "__main__":
    main()
