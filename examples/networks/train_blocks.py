#!/usr/bin/env python3
"""Trains the networks of this folder that are made of more than convolutions and ReLU, and writes them as ONNX:
maxpool and attention on MNIST and on digits drawn by draw.py, convnext on CIFAR-10.

usage: train_blocks.py MNIST_FOLDER CIFAR10_FOLDER [NAME ...]
  MNIST_FOLDER    train-images*.gz, train-labels*.gz and the t10k files
  CIFAR10_FOLDER  data_batch_*.bin.gz, test*.bin.gz
  NAME            maxpool, attention, convnext; all of them when none is given
Needs Debian's python3-torch. maxpool and attention take [1, 1, 28, 28] floats, pixel / 255; convnext takes
[1, 3, 32, 32], (pixel / 255 - mean) / std with the means and deviations below."""
import glob
import gzip
import os
import sys

import numpy as np
import torch
from torch import nn

from train import accuracy, drawn, idx, tensors

HERE = os.path.dirname(os.path.abspath(__file__))
MEAN, STD = (.4914, .4822, .4465), (.2470, .2435, .2616)


def mnist(folder):
    def part(name):
        images = idx(folder, name + "*images*", 16, (-1, 1, 28, 28))
        labels = idx(folder, name + "*labels*", 8, -1)
        return tensors(images, labels)
    (x, y), (dx, dy) = part("train"), tensors(*drawn(6000, 1))
    return torch.cat([x, dx]), torch.cat([y, dy]), *part("t10k")


def cifar(folder):
    def part(pattern):
        files = sorted(glob.glob(os.path.join(folder, pattern)))
        rows = np.frombuffer(b"".join(gzip.open(f).read() for f in files), np.uint8).reshape(-1, 3073)
        x = torch.tensor(rows[:, 1:].reshape(-1, 3, 32, 32).astype(np.float32) / 255)
        x = (x - torch.tensor(MEAN).view(1, 3, 1, 1)) / torch.tensor(STD).view(1, 3, 1, 1)
        return x, torch.tensor(rows[:, 0]).long()
    return *part("data_batch_*.bin.gz"), *part("test*.bin.gz")


def maxpool():
    return nn.Sequential(nn.Conv2d(1, 4, 5, 2, 1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(144, 10))


class Attention(nn.Module):
    """One pre-norm transformer block on 16 patches of 7 x 7 pixels."""

    def __init__(self, dim=32, heads=2, hidden=64):
        super().__init__()
        self.embed, self.place = nn.Conv2d(1, dim, 7, 7), nn.Parameter(torch.zeros(1, 16, dim))
        self.norm1, self.norm2, self.norm3 = nn.LayerNorm(dim), nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.qkv, self.out = nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)
        self.up, self.down, self.head = nn.Linear(dim, hidden), nn.Linear(hidden, dim), nn.Linear(dim, 10)
        self.heads, self.dim = heads, dim

    def attend(self, x):
        q, k, v = (t.reshape(-1, 16, self.heads, self.dim // self.heads).transpose(1, 2)
                   for t in self.qkv(x).split(self.dim, 2))
        scores = (q @ k.transpose(2, 3)) * (self.dim // self.heads) ** -.5
        return self.out((scores.softmax(3) @ v).transpose(1, 2).reshape(-1, 16, self.dim))

    def forward(self, x):
        x = self.embed(x).flatten(2).transpose(1, 2) + self.place
        x = x + self.attend(self.norm1(x))
        x = x + self.down(nn.functional.gelu(self.up(self.norm2(x))))
        return self.head(self.norm3(x.mean(1)))


class ChannelNorm(nn.LayerNorm):
    def forward(self, x):
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class Block(nn.Module):
    """A block of ConvNeXt: depthwise 7 x 7, LayerNorm, two dense layers with a GELU between, a scale, a sum."""

    def __init__(self, dim):
        super().__init__()
        self.depthwise, self.norm = nn.Conv2d(dim, dim, 7, 1, 3, groups=dim), nn.LayerNorm(dim)
        self.up, self.down = nn.Linear(dim, 4 * dim), nn.Linear(4 * dim, dim)
        self.scale = nn.Parameter(torch.full((dim,), .5))

    def forward(self, x):
        y = self.norm(self.depthwise(x).permute(0, 2, 3, 1))
        y = self.scale * self.down(nn.functional.gelu(self.up(y)))
        return x + y.permute(0, 3, 1, 2)


def convnext(dims=(24, 48)):
    layers = [nn.Conv2d(3, dims[0], 2, 2), ChannelNorm(dims[0]), Block(dims[0]), Block(dims[0]),
              ChannelNorm(dims[0]), nn.Conv2d(dims[0], dims[1], 2, 2), Block(dims[1]), Block(dims[1])]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.LayerNorm(dims[1]), nn.Linear(dims[1], 10))


def shifted(x):
    """Mirrored or not, moved by up to three pixels: for CIFAR-10."""
    if torch.rand(1) < .5:
        x = x.flip(3)
    dy, dx = torch.randint(0, 7, (2,)).tolist()
    return nn.functional.pad(x, (3, 3, 3, 3))[:, :, dy:dy + x.shape[2], dx:dx + x.shape[3]]


def train(net, x, y, epochs, peak, augment):
    opt = torch.optim.AdamW(net.parameters(), peak, weight_decay=.02)
    steps = epochs * ((len(x) + 127) // 128)
    schedule = torch.optim.lr_scheduler.OneCycleLR(opt, peak, total_steps=steps)
    for _ in range(epochs):
        for i in torch.randperm(len(x)).split(128):
            batch = augment(x[i]) if augment else x[i]
            loss = nn.functional.cross_entropy(net(batch), y[i], label_smoothing=.05)
            opt.zero_grad()
            loss.backward()
            opt.step()
            schedule.step()


def main():
    data = {"mnist": lambda: mnist(sys.argv[1]), "cifar10": lambda: cifar(sys.argv[2])}
    plans = (("maxpool", maxpool, "mnist", 6, 4e-3, None), ("attention", Attention, "mnist", 8, 4e-3, None),
             ("convnext", convnext, "cifar10", 24, 6e-3, shifted))
    for name, make, source, epochs, peak, augment in plans:
        if sys.argv[3:] and name not in sys.argv[3:]:
            continue
        x, y, tx, ty = data[source]()
        torch.manual_seed(1)
        net = make()
        train(net, x, y, epochs, peak, augment)
        net.eval()
        print(f"{name}: {source} test {accuracy(net, tx, ty):.4f}", flush=True)
        torch.onnx.export(net, tx[:1], os.path.join(HERE, name + ".onnx"), opset_version=13,
                          input_names=["image"], output_names=["logits"])


if __name__ == "__main__":
    main()
