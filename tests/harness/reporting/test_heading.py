"""No coefficient is seen without its ground truth and its inputs."""

import dataclasses


def test_the_lines_hold_every_fact(heading):
    text = "\n".join(heading.lines())
    for fact in (
        heading.benchmark,
        heading.dataset,
        "1,000 architectures",
        "'all'",
        "seed 0",
        heading.ground_truth,
        "mini-batches of 64 from CIFAR-10 training images",
        "torch 2.13.0",
    ):
        assert fact in text


def test_noise_is_never_called_images_and_is_said_loudly(heading):
    noise = dataclasses.replace(heading, noise=True, images="Gaussian noise, random labels")
    inputs = next(line for line in noise.lines() if line.startswith("Inputs"))
    assert inputs.startswith("Inputs: NOISE, NO REAL IMAGES")
    assert "Gaussian noise, random labels" in inputs
    assert "NOISE INPUTS" in noise.title(10)
    assert "NOISE" not in heading.title(10)


def test_a_long_title_is_broken_into_lines_that_fit(heading):
    assert heading.title(1000) == "NATS-Bench topology space, cifar10, n = 1,000"
    lines = heading.title(1000, width=20).splitlines()
    assert lines[-1] == "n = 1,000"
    assert max(map(len, lines)) <= 20
