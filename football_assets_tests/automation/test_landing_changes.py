"""The difference between what landed and what was read."""

from football_assets.automation.landing_changes import CountryChange, Watch, event_of, landing_changes
from football_assets.raw.read_record import NO_OBJECTS, CountryObjects, CountryRead

LANDED = CountryObjects(2, "d1")
READ = CountryRead(2, "d1", "run")


def test_a_season_changed_if_it_is_not_what_was_read() -> None:
    landed = {"2010": LANDED, "2011": CountryObjects(2, "d2"), "2012": LANDED, "2013": LANDED}
    gone = CountryRead(0, NO_OBJECTS.digest, "run")
    read = {"2010": READ, "2011": READ, "2012": gone, "2014": READ, "2015": gone}

    assert landing_changes(landed, read) == (
        CountryChange("2011", READ, CountryObjects(2, "d2")),
        CountryChange("2012", gone, LANDED),
        CountryChange("2013", None, LANDED),
        CountryChange("2014", READ, NO_OBJECTS),
    )


def test_an_event_is_another_for_another_season_state_or_reader() -> None:
    changes = [
        CountryChange("2010", READ, NO_OBJECTS),
        CountryChange("2011", READ, NO_OBJECTS),
        CountryChange("2010", None, NO_OBJECTS),
        CountryChange("2010", CountryRead(2, "d1", "another run"), NO_OBJECTS),
        CountryChange("2010", CountryRead(2, "d2", "run"), NO_OBJECTS),
        CountryChange("2010", READ, CountryObjects(2, "d3")),
    ]

    events = {event_of([change]) for change in changes} | {event_of(changes[:2])}

    assert len(events) == 7
    assert event_of(changes[:1]) == event_of([CountryChange("2010", READ, NO_OBJECTS)])


def test_a_cursor_holds_the_watch() -> None:
    watch = Watch("landing-1", 3)

    assert Watch.from_cursor(watch.to_cursor()) == watch
    assert watch.has_settled("landing-1")
    assert not watch.has_settled("landing-2")
    assert watch.next("landing-2") == Watch("landing-2", 4)


def test_a_change_is_told_in_words() -> None:
    assert str(CountryChange("2010", READ, NO_OBJECTS)) == "2010: 0 objects, 2 when last read"
    assert str(CountryChange("2010", None, LANDED)) == "2010: 2 objects, never read"
