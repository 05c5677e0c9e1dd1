#!/usr/bin/env python3
"""Shrink all pictures in a folder so they fit into a given box."""

import argparse
import sys
from pathlib import Path

from PIL import Image

EXTENSIONS = {".jpg", ".jpeg", ".png", ".webp"}


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="folder with the pictures")
    parser.add_argument("-o", "--output", type=Path, default=Path("small"))
    parser.add_argument("--width", type=int, default=1600)
    parser.add_argument("--height", type=int, default=1200)
    parser.add_argument("-q", "--quality", type=int, default=85, help="JPEG quality, 1 to 95")
    parser.add_argument("-v", "--verbose", action="store_true")
    return parser.parse_args()


def find_images(folder):
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in EXTENSIONS:
            yield path


def resize(path, target, size, quality):
    """Write a smaller copy of path to target and return its new size."""
    with Image.open(path) as image:
        image.thumbnail(size)
        if image.mode == "RGBA" and target.suffix.lower() in (".jpg", ".jpeg"):
            image = image.convert("RGB")
        image.save(target, quality=quality)
        return image.size


def main():
    args = parse_args()
    if not args.folder.is_dir():
        print(f"error: {args.folder} is not a folder", file=sys.stderr)
        return 1

    args.output.mkdir(parents=True, exist_ok=True)
    count = 0
    for path in find_images(args.folder):
        target = args.output / path.name
        try:
            width, height = resize(path, target, (args.width, args.height), args.quality)
        except OSError as exc:
            print(f"skipping {path.name}: {exc}", file=sys.stderr)
            continue
        count += 1
        if args.verbose:
            print(f"{path.name}: {width}x{height}")

    print(f"{count} images written to {args.output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
