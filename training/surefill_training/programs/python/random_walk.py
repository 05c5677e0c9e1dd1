"""Simulates many random walks at once and compares them with theory."""

import numpy as np


def simulate(walks=10_000, steps=500, p=0.5, seed=None):
    """Positions of each walk after each step, shape (walks, steps + 1)."""
    rng = np.random.default_rng(seed)
    moves = np.where(rng.random((walks, steps)) < p, 1, -1)
    positions = np.zeros((walks, steps + 1), dtype=int)
    positions[:, 1:] = np.cumsum(moves, axis=1)
    return positions


def first_passage(positions, level):
    """Step at which each walk first reaches level; -1 for those that never do."""
    reached = positions >= level
    first = reached.argmax(axis=1)
    first[~reached.any(axis=1)] = -1
    return first


def returns_to_origin(positions):
    return (positions[:, 1:] == 0).sum(axis=1)


def summarize(positions):
    final = positions[:, -1]
    steps = positions.shape[1] - 1
    print(f"walks: {len(final)}, steps: {steps}")
    print(f"mean of the final position: {final.mean():.3f} (theory: 0)")
    print(f"standard deviation: {final.std():.3f} (theory: {np.sqrt(steps):.3f})")
    print(f"furthest: {np.abs(positions).max()}")

    low, high = np.percentile(final, [2.5, 97.5])
    print(f"95 % of the walks end between {low:.0f} and {high:.0f}")


def histogram(values, bins=15, width=50):
    counts, edges = np.histogram(values, bins=bins)
    largest = counts.max()
    for count, left, right in zip(counts, edges[:-1], edges[1:]):
        bar = "#" * int(width * count / largest)
        print(f"{left:8.1f} to {right:8.1f} | {bar}")


def main():
    positions = simulate(seed=42)
    summarize(positions)
    histogram(positions[:, -1])

    passage = first_passage(positions, level=20)
    reached = passage[passage >= 0]
    print(f"{len(reached) / len(passage):.1%} of the walks reach level 20")
    print(f"median time to get there: {np.median(reached):.0f} steps")

    visits = returns_to_origin(positions)
    print(f"average number of returns to the origin: {visits.mean():.2f}")


if __name__ == "__main__":
    main()
