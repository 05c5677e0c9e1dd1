"""Shortest ways through a maze, by breadth-first search and by A*."""
import heapq
from collections import deque

MAZE = """
##########
#S  #    #
# # # ## #
# #   #  #
# ##### ##
#       E#
##########
"""


def parse_maze(text):
    grid = [list(line) for line in text.strip().splitlines()]
    start = end = None
    for y, row in enumerate(grid):
        for x, cell in enumerate(row):
            if cell == "S":
                start = (x, y)
            elif cell == "E":
                end = (x, y)
    if start is None or end is None:
        raise ValueError("maze needs a start and an end")
    return grid, start, end


def neighbors(grid, position):
    x, y = position
    for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
        nx, ny = x + dx, y + dy
        if 0 <= ny < len(grid) and 0 <= nx < len(grid[ny]) and grid[ny][nx] != "#":
            yield nx, ny


def bfs(grid, start, end):
    queue = deque([start])
    came_from = {start: None}
    while queue:
        current = queue.popleft()
        if current == end:
            return build_path(came_from, end)
        for next_cell in neighbors(grid, current):
            if next_cell not in came_from:
                came_from[next_cell] = current
                queue.append(next_cell)
    return None


def manhattan(a, b):
    return abs(a[0] - b[0]) + abs(a[1] - b[1])


def a_star(grid, start, end):
    frontier = [(0, start)]
    came_from = {start: None}
    cost = {start: 0}
    while frontier:
        _, current = heapq.heappop(frontier)
        if current == end:
            return build_path(came_from, end)
        for next_cell in neighbors(grid, current):
            new_cost = cost[current] + 1
            if next_cell not in cost or new_cost < cost[next_cell]:
                cost[next_cell] = new_cost
                priority = new_cost + manhattan(next_cell, end)
                heapq.heappush(frontier, (priority, next_cell))
                came_from[next_cell] = current
    return None


def build_path(came_from, end):
    path = []
    current = end
    while current is not None:
        path.append(current)
        current = came_from[current]
    path.reverse()
    return path


def draw(grid, path):
    for x, y in path[1:-1]:
        grid[y][x] = "."
    print("\n".join("".join(row) for row in grid))


if __name__ == "__main__":
    grid, start, end = parse_maze(MAZE)
    path = a_star(grid, start, end)
    assert len(path) == len(bfs(grid, start, end))
    print(f"{len(path) - 1} steps")
    draw(grid, path)
