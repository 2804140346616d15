from __future__ import annotations

from collections.abc import Callable

import pytest

from live_vlm_webui.describer.belief import Seen, Tag
from live_vlm_webui.describer.change import Change, Move
from live_vlm_webui.describer.photometry import Colour, Light
from live_vlm_webui.describer.questions import understood
from live_vlm_webui.describer.reading import Reading
from live_vlm_webui.describer.scene import Scene
from live_vlm_webui.describer.vocabulary import Vocabulary
from live_vlm_webui.describer.words import answer

See = Callable[..., Seen]
MakeScene = Callable[..., Scene]
Say = Callable[..., str]

SCENE = "Describe the scene."
OBJECTS = "List the objects."
PEOPLE = "Are people in danger?"
NAVIGATION = "You are the eyes of a robot."
TEXT = "Read the text."
CHANGED = "What has changed?"
FREE = "Why is he sad?"
UNCHANGED = Change(False, "", (), (), (), ())


@pytest.fixture
def say(vocabulary: Vocabulary) -> Say:
    """The answer to a prompt about a scene."""

    def say(
        prompt: str, scene: Scene, change: Change | None = None, reading: Reading | None = None, frames: int = 1
    ) -> str:
        return " ".join(answer(understood(prompt, vocabulary), scene, change, reading, frames=frames))

    return say


def test_a_scene_is_what_is_seen_where_and_in_which_light(see: See, scene: MakeScene, say: Say) -> None:
    seen = scene(see("person", 0, 0.1, 0.5, 1), see("cat", 0.8, 0.8, 1, 1))
    assert (
        say(SCENE, seen)
        == "I see a person on the left (large) and a cat at the bottom right (small). The picture is mainly blue."
    )


def test_several_of_a_thing_are_counted_from_left_to_right(see: See, scene: MakeScene, say: Say) -> None:
    cars = [see("car", at, 0.4, at + 0.2, 0.6) for at in (0.75, 0.05)]
    assert say(SCENE, scene(*cars)).startswith("I see two cars, one on the left and one on the right.")
    many = [see("car", at / 10, 0.4, at / 10 + 0.05, 0.5) for at in range(7)]
    assert say(SCENE, scene(*many)).startswith("I see seven cars.")


def test_a_lower_bound_is_said_as_one(see: See, scene: MakeScene, say: Say) -> None:
    car = see("car", 0.05, 0.4, 0.25, 0.6)
    doubtful = see("car", 0.7, 0.4, 0.9, 0.6, score=0.5)
    assert say(SCENE, scene(car, faint=(doubtful,))).startswith("I see at least one car, on the left.")


def test_what_is_not_sure_is_not_said_outright(see: See, scene: MakeScene, say: Say, vocabulary: Vocabulary) -> None:
    assert "what is probably a kite" in say(SCENE, scene(see("kite", sure=False)))
    assert "a horse or a dog (I am not sure which)" in say(SCENE, scene(see("horse", sure=False, rival="dog")))
    perhaps = Tag("a flower", 0.3, False, vocabulary.by_name["flower"])
    assert say(SCENE, scene(tags=(perhaps,))).startswith("Perhaps the picture shows a flower; I am not sure.")
    kind = Tag("an animal", 0.8, True, vocabulary.by_name["fox"])
    assert say(SCENE, scene(tags=(kind,))).startswith("The picture shows an animal (perhaps a fox).")


def test_what_it_knows_nothing_of_it_says_so(scene: MakeScene, say: Say) -> None:
    assert say(SCENE, scene(colours=())) == "I recognise nothing in this picture."
    assert say(OBJECTS, scene(colours=())) == "I recognise nothing in this picture."


def test_a_covered_lens_is_recognised(scene: MakeScene, say: Say) -> None:
    dark = Light(3, 0, plain=True, soft=True, few_tones=True)
    assert "the whole picture is dark, as with a covered lens" in say(SCENE, scene(light=dark))


@pytest.mark.parametrize(
    ("light", "words"),
    [
        (Light(35, 0, plain=False, soft=False, few_tones=False), "The picture is dark and in shades of grey."),
        (Light(200, 0.5, plain=False, soft=False, few_tones=False), "bright, pure white in large parts and in shades"),
        (Light(120, 0, plain=False, soft=True, few_tones=False), "without sharp detail"),
        (Light(120, 0, plain=False, soft=False, few_tones=True), "The picture is in shades of grey."),
    ],
)
def test_light(scene: MakeScene, say: Say, light: Light, words: str) -> None:
    assert words in say(SCENE, scene(light=light, colours=(Colour("shades of grey", 1),)))


def test_a_subject_against_the_light(see: See, scene: MakeScene, say: Say) -> None:
    assert "The person is dark against a bright background." in say(SCENE, scene(see("person"), dark_subject=True))


def test_a_short_answer_has_two_sentences(see: See, scene: MakeScene, say: Say) -> None:
    said = say("Describe what you see in one or two sentences.", scene(see("person"), dark_subject=True))
    assert said.count(". ") == 1
    assert "; the person is dark" in said


def test_objects_stand_one_a_line(see: See, scene: MakeScene, say: Say, vocabulary: Vocabulary) -> None:
    tripod = Tag("a tripod", 0.9, True, vocabulary.by_name["tripod"])
    said = say(OBJECTS, scene(see("person"), see("cat", 0.8, 0.8, 1, 1), tags=(tripod,)))
    assert said.splitlines()[:3] == [
        "- a person in the middle",
        "- a cat at the bottom right (small)",
        "- a tripod, somewhere in the picture",
    ]
    assert "there may be more" in said


def test_no_person_seen_does_not_mean_that_there_is_none(see: See, scene: MakeScene, say: Say) -> None:
    assert "but I may have missed someone" in say(PEOPLE, scene(see("cat")))
    assert say(PEOPLE, scene(see("person"))).startswith("I see a person in the middle.")


def test_it_never_says_that_a_place_is_safe(see: See, scene: MakeScene, say: Say) -> None:
    assert "Possibly dangerous: a knife in the middle." in say(PEOPLE, scene(see("knife")))
    for seen in (scene(), scene(see("person"))):
        said = say(PEOPLE, seen)
        assert "This is not a safety assessment" in said
        assert "dangerous:" not in said


def test_a_robot_learns_what_is_on_each_side_and_never_that_a_way_is_free(see: See, scene: MakeScene, say: Say) -> None:
    said = say(NAVIGATION, scene(see("chair", 0.1, 0.2, 0.6, 1), see("person", 0.9, 0.4, 0.98, 0.6)))
    assert said.startswith("Left: a chair (near); ahead: a chair (near); right: a person (far away or small).")
    assert "may still be blocked" in said
    assert say(NAVIGATION, scene()).startswith("Left: nothing that I recognise; ahead: nothing that I recognise;")


@pytest.mark.parametrize(
    ("prompt", "start"),
    [
        ("Is there a cat?", "I see one cat in the middle."),
        ("How many people are there?", "I see two people, one on the left and one on the right."),
        ("Is there a dog?", "I see no dog; I may have missed one. I see"),
        ("Is there a horse?", "I see what is probably one"),
    ],
)
def test_presence(see: See, scene: MakeScene, say: Say, prompt: str, start: str) -> None:
    people = [see("person", at, 0, at + 0.2, 1) for at in (0.0, 0.8)]
    said = say(prompt, scene(see("cat"), *people, see("horse", 0, 0.8, 0.1, 1, sure=False)))
    assert said.startswith(start) or "horse" in prompt
    assert "horse" not in prompt or "probably a horse" in said


def test_presence_of_what_may_be_something_else(see: See, scene: MakeScene, say: Say, vocabulary: Vocabulary) -> None:
    assert "I see a horse or a dog (I am not sure which)" in say(
        "Is there a dog?", scene(see("horse", sure=False, rival="dog"))
    )
    perhaps = Tag("a flower", 0.3, False, vocabulary.by_name["flower"])
    assert say("Is there a flower?", scene(tags=(perhaps,))).startswith("Perhaps there is a flower.")


def test_a_free_question_is_answered_with_what_it_is_and_what_would_be_needed(
    see: See, scene: MakeScene, say: Say
) -> None:
    said = say(FREE, scene(see("person")))
    assert said.startswith("I am the small built-in describer, not a vision language model:")
    assert "ollama run" in said
    assert "I see a person in the middle." in said


def test_a_preset_that_asks_for_more_is_answered_in_part_and_says_so(see: See, scene: MakeScene, say: Say) -> None:
    said = say("How many people are there and what does each do?", scene(see("person")))
    assert said.startswith("I see a person")
    assert said.endswith("The rest of this question needs a vision language model; I am the small built-in describer.")


def test_text_is_what_was_read(scene: MakeScene, say: Say) -> None:
    assert "EXIT" in say(TEXT, scene(), reading=Reading(("EXIT",)))
    assert "pip install" in say(TEXT, scene(), reading=Reading(None))


def test_changes_are_told_since_the_last_answer(see: See, scene: MakeScene, say: Say) -> None:
    cat, dog = see("cat"), see("dog", 0, 0.4, 0.2, 0.6)
    change = Change(False, "darker", (cat,), (dog,), (Move(see("car"), ("left", "up")),), ())
    assert say(SCENE, scene(cat), change).endswith(
        "Since my last answer: a cat has appeared in the middle; a dog on the left is no longer seen;"
        " the car has moved to the left and up; the picture has become darker."
    )


def test_no_change_is_told_only_if_it_was_asked_for(scene: MakeScene, say: Say) -> None:
    assert "last answer" not in say(SCENE, scene(), UNCHANGED)
    assert say(CHANGED, scene(), UNCHANGED).startswith("Since my last answer: I see no change.")
    assert say(CHANGED, scene(), None).startswith("I have no earlier picture")


def test_several_pictures_are_compared_with_each_other(scene: MakeScene, say: Say) -> None:
    stirred = Change(False, "", (), (), (), ("left",))
    assert "From the first to the last of these 4 pictures: something is different on the left." in say(
        SCENE, scene(), stirred, frames=4
    )


def test_another_view_is_told(scene: MakeScene, say: Say) -> None:
    assert "the view has changed completely" in say(SCENE, scene(), Change(True, "", (), (), (), ()))
