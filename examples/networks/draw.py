#!/usr/bin/env python3
"""Draws digits: strokes of ten hand-made figures, bent, slanted, scaled and shifted at random, in 28 x 28 grey
pixels. Writes digits.npy (uint8 [n, 28, 28]) and labels.npy beside this file. Needs numpy only.

The figures are the project's own; nothing here comes from a data set."""
import os
import sys

import numpy as np


def arc(cx, cy, rx, ry, start, end, n=24):
    t = np.linspace(np.radians(start), np.radians(end), n)
    return np.stack([cx + rx * np.cos(t), cy + ry * np.sin(t)], 1)


def line(*points):
    return np.array(points, float)


# Strokes in a box of 1 x 1, y downwards.
FIGURES = {
    0: [[arc(.5, .5, .30, .45, 0, 360, 40)]],
    1: [[line((.5, .05), (.5, .95))], [line((.32, .22), (.54, .05), (.54, .95))]],
    2: [[np.concatenate([arc(.5, .3, .28, .25, 190, 370), line((.75, .42), (.22, .93), (.82, .93))])]],
    3: [[np.concatenate([arc(.46, .28, .27, .23, 200, 440), arc(.46, .72, .30, .23, 280, 510)])]],
    4: [[line((.35, .06), (.2, .55), (.85, .55)), line((.66, .1), (.66, .95))],
        [line((.6, .05), (.15, .62), (.85, .62)), line((.6, .05), (.6, .95))]],
    5: [[np.concatenate([line((.78, .07), (.3, .07), (.26, .45)), arc(.46, .67, .31, .26, 230, 500)])]],
    6: [[np.concatenate([line((.66, .05), (.4, .3)), arc(.48, .68, .26, .26, 210, 570, 40)])]],
    7: [[line((.18, .1), (.8, .1), (.42, .95))]],
    8: [[arc(.5, .28, .22, .22, 90, 450, 36), arc(.5, .73, .27, .23, 270, 630, 36)]],
    9: [[arc(.48, .3, .25, .25, 0, 360, 36), line((.73, .3), (.7, .6), (.56, .95))]],
}


def draw(digit, rng):
    strokes = FIGURES[digit][rng.integers(len(FIGURES[digit]))]
    slant, turn = rng.normal(0, .15), rng.normal(0, .10)
    size, width = rng.uniform(17, 20.5), rng.uniform(.9, 1.5)
    squeeze, shift = rng.uniform(.78, 1.05), rng.normal(0, .7, 2)
    bend = rng.normal(0, .045, (2, 2))
    ys, xs = np.mgrid[0:28, 0:28]
    distance = np.full((28, 28), 1e9)
    for s in strokes:
        p = (s - .5) * [squeeze, 1]
        p = p + np.sin(2 * np.pi * p) @ bend
        p = p @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
        p[:, 0] -= slant * p[:, 1]
        p = p * size + 13.5 + shift
        for a, b in zip(p[:-1], p[1:]):
            d = b - a
            t = np.clip(((xs - a[0]) * d[0] + (ys - a[1]) * d[1]) / max(d @ d, 1e-9), 0, 1)
            distance = np.minimum(distance, np.hypot(xs - a[0] - t * d[0], ys - a[1] - t * d[1]))
    return np.round(255 * np.clip(width + .5 - distance, 0, 1)).astype(np.uint8)


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    rng = np.random.default_rng(20)
    labels = np.arange(count) % 10
    here = os.path.dirname(os.path.abspath(__file__))
    np.save(os.path.join(here, "digits.npy"), np.stack([draw(int(k), rng) for k in labels]))
    np.save(os.path.join(here, "labels.npy"), labels.astype(np.int64))


if __name__ == "__main__":
    main()
