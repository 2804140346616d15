from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from live_vlm_webui.describer.belief import Seen, Tag
from live_vlm_webui.describer.networks import Networks
from live_vlm_webui.describer.scene import Scene, look, prominence
from live_vlm_webui.describer.vocabulary import Vocabulary

See = Callable[..., Seen]
MakeScene = Callable[..., Scene]


@pytest.mark.parametrize(
    ("edges", "across", "down", "extent"),
    [
        ((0.0, 0.4, 0.2, 0.6), "left", "middle", "small"),
        ((0.7, 0.0, 1.0, 0.3), "right", "top", "medium"),
        ((0.3, 0.4, 0.7, 1.0), "centre", "bottom", "large"),
        ((0.0, 0.0, 1.0, 1.0), "centre", "middle", "filling"),
    ],
)
def test_where_and_how_large(
    see: See, edges: tuple[float, float, float, float], across: str, down: str, extent: str
) -> None:
    one = see("cat", *edges)
    assert (one.across, one.down, one.extent) == (across, down, extent)


def test_large_and_central_things_are_prominent(see: See) -> None:
    large, small, aside = (
        see("cat", 0.2, 0.2, 0.8, 0.8),
        see("dog", 0.45, 0.45, 0.55, 0.55),
        see("car", 0.0, 0.0, 0.3, 0.3),
    )
    assert prominence(large) > prominence(aside) > prominence(small)


def test_things_are_counted_by_name(see: See, scene: MakeScene) -> None:
    counted = scene(see("cat"), see("dog"), see("cat", 0.7, 0.1, 0.9, 0.3)).things()
    assert [(thing.name, len(places)) for thing, places in counted.items()] == [("cat", 2), ("dog", 1)]


def test_a_box_that_is_not_believed_makes_a_count_a_lower_bound(see: See, scene: MakeScene) -> None:
    cat = see("cat")
    doubtful = see("cat", 0.7, 0.1, 0.9, 0.3, score=0.5)
    assert scene(cat, faint=(doubtful,)).perhaps_more(cat.thing)
    assert not scene(cat, faint=(see("cat", 0.7, 0.1, 0.9, 0.3, score=0.4),)).perhaps_more(cat.thing)
    assert not scene(cat, faint=(see("dog", 0.7, 0.1, 0.9, 0.3, score=0.5),)).perhaps_more(cat.thing)
    assert not scene(cat, doubtful).perhaps_more(cat.thing)


def test_how_sure_all_of_it_is(see: See, scene: MakeScene, vocabulary: Vocabulary) -> None:
    perhaps = Tag("a flower", 0.3, False, vocabulary.by_name["flower"])
    assert scene().certainty == "nothing"
    assert scene(see("cat")).certainty == "sure"
    assert scene(see("cat"), tags=(perhaps,)).certainty == "partly"
    assert scene(tags=(perhaps,)).certainty == "unsure"


def test_a_bare_surface_is_not_shown_to_the_networks(vocabulary: Vocabulary) -> None:
    networks = Networks()
    seen = look(networks, vocabulary, np.full((90, 160, 3), 40, np.uint8))
    assert (seen.certainty, seen.light.plain, networks.loaded) == ("nothing", True, False)
