"""Simple drawings that stand for residents' photos: before, and after the work was done."""

import io
from collections.abc import Callable
from random import Random

from PIL import Image, ImageDraw

SIZE = WIDTH, HEIGHT = 880, 660
Draw = ImageDraw.ImageDraw
Colour = tuple[int, int, int]


def picture(kind: str, done: bool, rng: Random) -> bytes:
    """Return a JPEG of a kind of scene, as it was or as it is now.

    Args:
        kind: lamp, pothole, rubbish, water or crop.
        done: after the work.
    """
    image = Image.new("RGB", SIZE)
    SCENES[kind](ImageDraw.Draw(image, "RGBA"), done, rng)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=84)
    return out.getvalue()


def _shade(draw: Draw, top: Colour, bottom: Colour, begin: int = 0, end: int = HEIGHT) -> None:
    """Fill a band with a gradient."""
    for y in range(begin, end):
        part = (y - begin) / max(1, end - begin)
        colour = tuple(round(a + (b - a) * part) for a, b in zip(top, bottom, strict=True))
        draw.line([(0, y), (WIDTH, y)], fill=colour)


def _houses(draw: Draw, rng: Random, ground: int, wall: Colour, window: Colour) -> None:
    x = -rng.randint(0, 60)
    while x < WIDTH:
        width, height = rng.randint(90, 170), rng.randint(120, 260)
        shade = rng.randint(-14, 14)
        draw.rectangle([x, ground - height, x + width, ground], fill=tuple(value + shade for value in wall))
        for column in range(x + 16, x + width - 26, 38):
            for row in range(ground - height + 18, ground - 40, 48):
                if rng.random() < 0.6:
                    draw.rectangle([column, row, column + 18, row + 24], fill=window)
        x += width + rng.randint(4, 30)


def _street(draw: Draw, rng: Random, ground: int = 400) -> None:
    _shade(draw, (176, 205, 226), (226, 234, 236), 0, ground)
    _houses(draw, rng, ground, (196, 184, 168), (120, 140, 156))
    draw.rectangle([0, ground, WIDTH, ground + 36], fill=(172, 168, 160))
    _shade(draw, (108, 110, 114), (82, 84, 88), ground + 36)


def _lamp(draw: Draw, done: bool, rng: Random) -> None:
    ground, x = 520, rng.randint(300, 560)
    _shade(draw, (14, 18, 40), (38, 42, 66), 0, ground)
    for _ in range(40):
        star = rng.randint(0, WIDTH), rng.randint(0, 220)
        draw.point(star, fill=(220, 220, 235))
    _houses(draw, rng, ground, (36, 38, 54), (196, 164, 86) if done else (58, 58, 74))
    _shade(draw, (34, 35, 44), (20, 20, 28), ground)
    if done:
        for step in range(9):
            spread = 60 + step * 24
            draw.polygon(
                [(x + 96, 168), (x + 96 - spread, HEIGHT), (x + 96 + spread, HEIGHT)], fill=(255, 222, 140, 20)
            )
    draw.rectangle([x, 150, x + 12, ground + 40], fill=(84, 88, 98))
    draw.line([(x + 6, 154), (x + 92, 142)], fill=(84, 88, 98), width=9)
    draw.ellipse([x + 70, 132, x + 122, 168], fill=(255, 240, 190) if done else (52, 54, 64))


def _pothole(draw: Draw, done: bool, rng: Random) -> None:
    _street(draw, rng)
    for left in range(-40, WIDTH, 190):
        draw.polygon([(left, 540), (left + 96, 540), (left + 84, 552), (left - 14, 552)], fill=(226, 224, 214))
    x, y = rng.randint(250, 500), rng.randint(560, 590)
    if done:
        draw.polygon([(x - 130, y - 36), (x + 150, y - 40), (x + 176, y + 50), (x - 150, y + 54)], fill=(52, 53, 57))
        return
    points = [(x + rng.randint(-14, 14) + dx, y + dy) for dx, dy in _ring(rng, 120, 42)]
    draw.polygon(points, fill=(50, 46, 42))
    draw.ellipse([x - 64, y - 12, x + 74, y + 26], fill=(112, 128, 138))
    for _ in range(26):
        px, py = x + rng.randint(-170, 170), y + rng.randint(-56, 56)
        draw.ellipse([px, py, px + rng.randint(5, 15), py + rng.randint(4, 9)], fill=(126, 122, 116))


def _ring(rng: Random, width: int, height: int) -> list[tuple[int, int]]:
    ring = [
        (1.0, 0.0),
        (0.8, 0.6),
        (0.3, 0.95),
        (-0.3, 0.9),
        (-0.85, 0.5),
        (-1, -0.1),
        (-0.6, -0.8),
        (0, -1),
        (0.7, -0.7),
    ]
    return [(round(x * width * rng.uniform(0.8, 1.15)), round(y * height * rng.uniform(0.8, 1.1))) for x, y in ring]


def _rubbish(draw: Draw, done: bool, rng: Random) -> None:
    _street(draw, rng)
    for position, colour in enumerate([(58, 122, 76), (66, 92, 138)]):
        x = 120 + position * 150
        draw.rounded_rectangle([x, 370, x + 118, 520], 10, fill=colour)
        draw.rounded_rectangle([x - 8, 352, x + 126, 380], 8, fill=tuple(value - 18 for value in colour))
    if done:
        draw.ellipse([560, 500, 820, 560], fill=(120, 122, 124, 90))
        return
    colours = [(46, 46, 52), (188, 176, 150), (206, 206, 210), (164, 76, 62), (214, 186, 92), (92, 124, 150)]
    for _ in range(70):
        x = round(rng.gauss(540, 120))
        y = round(560 - abs(rng.gauss(0, 60)) + abs(x - 540) * 0.15)
        w, h = rng.randint(24, 84), rng.randint(18, 56)
        shape = draw.ellipse if rng.random() < 0.6 else draw.rectangle
        shape([x - w // 2, y - h // 2, x + w // 2, y + h // 2], fill=rng.choice(colours))


def _water(draw: Draw, done: bool, rng: Random) -> None:
    _street(draw, rng)
    x = rng.randint(320, 520)
    if not done:
        for step in range(7):
            size = 330 - step * 36
            draw.ellipse([x - size, 560 - size // 4, x + size, 590 + size // 4], fill=(92, 104, 92, 110))
        for _ in range(22):
            px, py = x + rng.randint(-250, 250), rng.randint(530, 630)
            draw.arc([px, py, px + 50, py + 14], 190, 350, fill=(196, 206, 202), width=3)
    draw.ellipse([x - 70, 546, x + 70, 592], fill=(64, 64, 66), outline=(40, 40, 42), width=5)
    for line in range(-48, 60, 24):
        draw.line([(x + line, 554), (x + line, 584)], fill=(112, 112, 112), width=5)


def _crop(draw: Draw, done: bool, rng: Random) -> None:
    _shade(draw, (170, 206, 232), (230, 238, 232), 0, 330)
    draw.polygon(
        [(0, 330), (180, 210), (390, 318), (600, 190), (WIDTH, 320), (WIDTH, 360), (0, 360)], fill=(108, 138, 112)
    )
    _shade(draw, (148, 122, 84), (112, 88, 58), 330)
    leaf = (74, 142, 62) if done else (172, 152, 66)
    for row in range(6):
        y = 370 + row * 52
        for x in range(-10, WIDTH, 46 + row * 6):
            if not done and rng.random() < 0.3:
                continue
            height = 26 + row * 7
            draw.line([(x, y), (x + rng.randint(-6, 6), y - height)], fill=(96, 112, 54), width=4)
            draw.ellipse(
                [x - 17, y - height - 12, x + 17, y - height + 14], fill=tuple(v + rng.randint(-12, 12) for v in leaf)
            )


SCENES: dict[str, Callable[[Draw, bool, Random], None]] = {
    "lamp": _lamp,
    "pothole": _pothole,
    "rubbish": _rubbish,
    "water": _water,
    "crop": _crop,
}
