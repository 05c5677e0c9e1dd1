"""Pictures of what a terminal shows, for whoever wants to look at it."""

import functools
from pathlib import Path

import pyte
from PIL import Image, ImageDraw, ImageFont

WIDTH, HEIGHT = 9, 18
"""Of a character's cell, in pixels."""

FONT = "DejaVuSansMono"
"""Every Debian with a browser has it."""

_NAMED = {
    "black": "#1e1e1e",
    "red": "#d16969",
    "green": "#6a9955",
    "brown": "#d7ba7d",
    "blue": "#569cd6",
    "magenta": "#c586c0",
    "cyan": "#4ec9b0",
    "white": "#d4d4d4",
    "brightblack": "#808080",
    "brightred": "#f44747",
    "brightgreen": "#b5cea8",
    "brightbrown": "#dcdcaa",
    "brightblue": "#9cdcfe",
    "brightmagenta": "#d7a3d3",
    "brightcyan": "#9ee6d8",
    "brightwhite": "#ffffff",
}
_DEFAULT = {False: ("#d4d4d4", "#1e1e1e"), True: ("#1f1f1f", "#ffffff")}
"""Text and background of a dark and of a light terminal."""


def draw(screen: pyte.Screen, path: Path, light: bool = False) -> None:
    """Write what is on ``screen`` to an image file."""
    text, background = _DEFAULT[light]
    image = Image.new("RGB", (WIDTH * screen.columns, HEIGHT * screen.lines), background)
    brush = ImageDraw.Draw(image)
    for row in range(screen.lines):
        for column in range(screen.columns):
            cell = screen.buffer[row][column]
            at = (column, row) == (screen.cursor.x, screen.cursor.y)
            before, behind = _colour(cell.fg, text), _colour(cell.bg, background)
            if cell.reverse != at:
                before, behind = behind, before
            x, y = WIDTH * column, HEIGHT * row
            if behind != background:
                brush.rectangle((x, y, x + WIDTH - 1, y + HEIGHT - 1), fill=behind)
            brush.text((x, y), cell.data, fill=before, font=_font(cell.bold))
            if cell.underscore:
                brush.line((x, y + HEIGHT - 2, x + WIDTH - 1, y + HEIGHT - 2), fill=before)
    path.parent.mkdir(parents=True, exist_ok=True)
    image.quantize(64, dither=Image.Dither.NONE).save(path, optimize=True)


def _colour(name: str, otherwise: str) -> str:
    if name == "default":
        return otherwise
    return _NAMED.get(name) or f"#{name}"


@functools.cache
def _font(bold: bool) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(f"{FONT}{'-Bold' if bold else ''}.ttf", 14)
