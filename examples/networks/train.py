#!/usr/bin/env python3
"""Trains the networks of this folder on MNIST and on digits drawn by draw.py, and writes them as ONNX.

usage: train.py MNIST_FOLDER    (train-images-idx3-ubyte.gz, train-labels-idx1-ubyte.gz, the t10k files)
Needs Debian's python3-torch. Both networks take [1, 1, 28, 28] floats, pixel / 255."""
import glob
import gzip
import os
import sys

import numpy as np
import torch
from torch import nn

import draw

HERE = os.path.dirname(os.path.abspath(__file__))


def idx(folder, pattern, header, shape):
    name = sorted(glob.glob(os.path.join(folder, pattern)))[0]
    with gzip.open(name) as f:
        return np.frombuffer(f.read(), np.uint8, offset=header).reshape(shape)


def drawn(count, seed):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 10, count)
    return np.stack([draw.draw(int(k), rng) for k in labels]), labels


def tensors(images, labels):
    return torch.tensor(images, dtype=torch.float32).reshape(-1, 1, 28, 28) / 255, torch.tensor(labels).long()


def cryptonets():
    return nn.Sequential(nn.Conv2d(1, 5, 5, 2, 1), nn.ReLU(), nn.Flatten(), nn.Linear(845, 100), nn.ReLU(),
                         nn.Linear(100, 10))


def lenet():
    return nn.Sequential(nn.Conv2d(1, 6, 5, 1, 2), nn.ReLU(), nn.AvgPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(),
                         nn.AvgPool2d(2), nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84),
                         nn.ReLU(), nn.Linear(84, 10))


def accuracy(net, x, y):
    with torch.no_grad():
        return (net(x).argmax(1) == y).float().mean().item()


def train(net, x, y, epochs):
    opt = torch.optim.AdamW(net.parameters(), 2e-3, weight_decay=1e-3)
    steps = epochs * ((len(x) + 127) // 128)
    schedule = torch.optim.lr_scheduler.OneCycleLR(opt, 4e-3, total_steps=steps)
    for _ in range(epochs):
        for i in torch.randperm(len(x)).split(128):
            loss = nn.functional.cross_entropy(net(x[i]), y[i], label_smoothing=.05)
            opt.zero_grad()
            loss.backward()
            opt.step()
            schedule.step()


def main():
    folder = sys.argv[1]
    x, y = tensors(idx(folder, "train-images*", 16, (-1, 28, 28)), idx(folder, "train-labels*", 8, -1))
    tx, ty = tensors(idx(folder, "t10k*images*", 16, (-1, 28, 28)), idx(folder, "t10k*labels*", 8, -1))
    dx, dy = tensors(*drawn(6000, 1))
    ex, ey = tensors(*drawn(2000, 2))
    for name, make, epochs in (("cryptonets", cryptonets, 8), ("lenet5", lenet, 8)):
        torch.manual_seed(1)
        net = make()
        train(net, torch.cat([x, dx]), torch.cat([y, dy]), epochs)
        net.eval()
        print(f"{name}: MNIST test {accuracy(net, tx, ty):.4f}, drawn digits {accuracy(net, ex, ey):.4f}", flush=True)
        torch.onnx.export(net, tx[:1], os.path.join(HERE, name + ".onnx"), opset_version=13,
                          input_names=["image"], output_names=["logits"])


if __name__ == "__main__":
    main()
