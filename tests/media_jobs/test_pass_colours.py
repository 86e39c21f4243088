"""The colours of a pass: few, and none of what is drawn is far from all of them."""

from media_jobs.pass_colours import blend, choose

GREYS = [(value, value, value) for value in range(0, 256, 5)]


def distance(one, other) -> int:
    return sum((a - b) ** 2 for a, b in zip(one, other, strict=True))


def test_each_colour_is_shown_by_the_nearest_one_that_was_chosen():
    steps = range(0, 256, 51)
    cube = [(red, green, blue) for red in steps for green in steps for blue in steps]

    palette = choose([(0, 0, 0)], cube, most=20)

    assert len(palette.chosen) == 20
    for colour in cube:
        nearest = min(distance(colour, chosen) for chosen in palette.chosen)
        assert distance(colour, palette.chosen[palette.nearest[colour]]) == nearest


def test_the_first_colours_are_kept_as_they_are():
    first = [(7, 7, 7), (8, 8, 8), (7, 7, 7)]

    palette = choose(first, GREYS, most=6)

    assert palette.chosen[:2] == [(7, 7, 7), (8, 8, 8)]
    assert [palette.nearest[colour] for colour in first] == [0, 1, 0]


def test_a_rare_colour_is_not_lost_among_many_alike():
    gold = (242, 184, 75)

    assert gold in choose(GREYS[:1], [*GREYS, gold], most=4).chosen


def test_there_are_no_more_colours_than_known_ones():
    assert choose([], GREYS[:3], most=9).chosen == [GREYS[0], GREYS[2], GREYS[1]]


def test_the_order_of_the_colours_changes_nothing():
    assert choose([], GREYS, most=9) == choose([], list(reversed(GREYS)), most=9)


def test_ink_covers_the_ground_by_its_share():
    assert blend((0, 100, 200), (100, 0, 200), 0.0) == (0, 100, 200)
    assert blend((0, 100, 200), (100, 0, 200), 0.25) == (25, 75, 200)
    assert blend((0, 100, 200), (100, 0, 200), 1.0) == (100, 0, 200)
