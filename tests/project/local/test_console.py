"""Prefixed lines, and a terminal that isn't read."""

import os

import pytest

from project.local.console import Console


@pytest.fixture
def pipe():
    reading, writing = os.pipe()
    yield reading, writing
    os.close(reading)
    os.close(writing)


def test_each_line_says_whose_it_is(pipe) -> None:
    reading, writing = pipe

    Console(writing).line("web", "hello")

    assert os.read(reading, 100) == b"web      | hello\n"


def test_no_colour_where_nobody_sees_it(pipe) -> None:
    reading, writing = pipe

    Console(writing, environment={}).line("web", "hello")

    assert b"\x1b" not in os.read(reading, 100)


@pytest.mark.parametrize(("environment", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_a_terminal_gets_colours_unless_it_refuses(environment, coloured) -> None:
    main, terminal = os.openpty()
    try:
        Console(terminal, environment=environment).line("web", "hello")
        assert (b"\x1b[" in os.read(main, 100)) is coloured
    finally:
        os.close(main)
        os.close(terminal)


@pytest.mark.timeout(10)
def test_a_pipe_that_nobody_reads_does_not_stop_the_shop(pipe) -> None:
    reading, writing = pipe
    console = Console(writing)

    for _ in range(5_000):
        console.line("web", "x" * 100)
    seen = os.read(reading, 1_000_000)
    console.line("web", "the reader is back")

    told = os.read(reading, 1_000_000).decode()
    lost = 5_000 - seen.count(b"\n")
    assert f"({lost} lines were not shown)" in told
    assert told.endswith("the reader is back\n")


def test_a_reader_who_left_does_not_stop_the_shop() -> None:
    reading, writing = os.pipe()
    os.close(reading)

    Console(writing).line("web", "anybody there?")

    os.close(writing)
