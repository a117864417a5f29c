"""Dates of publication: what is certain becomes ISO 8601, what is not stays as it was written and is named."""

from __future__ import annotations

import datetime
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.reading.dates import NO_DATE, TWO_DATES, iso_date


@pytest.mark.parametrize(
    ("written", "date"),
    [
        ("15.03.2011", "2011-03-15"),
        ("5.3.2011", "2011-03-05"),
        ("15. 3. 2011", "2011-03-15"),
        ("03.04.2011", "2011-04-03"),
        ("15 March 2011", "2011-03-15"),
        ("15 march 2011", "2011-03-15"),
        ("March 15, 2011", "2011-03-15"),
        ("Mar. 15 2011", "2011-03-15"),
        ("15-Mar-2011", "2011-03-15"),
        ("the 15th", None),
        ("15th of March, 2011", "2011-03-15"),
        ("2011, March 15", "2011-03-15"),
        ("2011/3/15", "2011-03-15"),
        ("2011-3-5", "2011-03-05"),
        ("2011.03.15", "2011-03-15"),
        ("15/03/2011", "2011-03-15"),
        ("03/15/2011", "2011-03-15"),
        ("15-03-2011", "2011-03-15"),
        ("3/3/2011", "2011-03-03"),
        ("January 11, 2024 Thursday", "2024-01-11"),
        ("Thursday, January 11, 2024", "2024-01-11"),
        ("Thu 11 Jan 2024", "2024-01-11"),
        ("Donnerstag, den 11. Januar 2024", "2024-01-11"),
        ("Samstag 2. März 2024", "2024-03-02"),
        ("jeudi 1er août 2024", "2024-08-01"),
        ("11 févr. 2024", "2024-02-11"),
        ("jueves 11 de enero de 2024", "2024-01-11"),
        ("11 de septiembre del 2024", "2024-09-11"),
        ("giovedì 11 gennaio 2024", "2024-01-11"),
        ("11 maart 2024 maandag", "2024-03-11"),
        ("2 juni 2024", "2024-06-02"),
        ("2. Juli 2024", "2024-07-02"),
        ("2 décembre 2024", "2024-12-02"),
        ("2 de\u0301cembre 2024", "2024-12-02"),
        ("martes, 5 de mayo de 2024 10:20", "2024-05-05T10:20:00"),
        ("March 2011", "2011-03"),
        ("20110315", "2011-03-15"),
        ("20110315102030", "2011-03-15T10:20:30"),
        ("201103151020", "2011-03-15T10:20:00"),
        ("1300184430", "2011-03-15T10:20:30+00:00"),
        ("1300184430.0", "2011-03-15T10:20:30+00:00"),
        ("1300184430123", "2011-03-15T10:20:30+00:00"),
        ("Tue, 15 Mar 2011 10:20:30 GMT", "2011-03-15T10:20:30+00:00"),
        ("Tue, 15 Mar 2011 10:20:30 +0100", "2011-03-15T10:20:30+01:00"),
        ("15 Mar 2011 10:20:30 -0500", "2011-03-15T10:20:30-05:00"),
        ("3/15/2011 4:05 PM", "2011-03-15T16:05:00"),
        ("15.03.2011, 16:05", "2011-03-15T16:05:00"),
        ("March 15, 2011 at 12:05 a.m.", "2011-03-15T00:05:00"),
        ("March 15, 2011 4:05 PM EST", "2011-03-15"),
        ("March 15, 2011 16:05 UTC", "2011-03-15T16:05:00+00:00"),
        ("  15.03.2011 \n", "2011-03-15"),
    ],
)
def test_a_date_that_is_certain_is_written_after_iso_8601(written: str, date: str | None) -> None:
    assert iso_date(written) == ((date, "") if date else (written, NO_DATE))


@pytest.mark.parametrize(
    "written",
    [
        *("2011-03-15", "2011-03", "2011", "2011-03-15T10:20:30Z", "2011-03-15 10:20", "2011-03-15T10:20:30.123+01:00"),
        *("2011-03-15Z", "2011-03-15T10:20:30.123456", "", " "),
    ],
)
def test_what_is_after_iso_8601_already_stays_as_it_is(written: str) -> None:
    assert iso_date(written) == (written, "")


@pytest.mark.parametrize("written", ["03/04/2011", "3/4/2011", "12-11-2011", "03/04/2011 10:20", "2011031510"])
def test_what_could_be_two_dates_stays_and_is_named(written: str) -> None:
    assert iso_date(written) == (written, TWO_DATES)


@pytest.mark.parametrize(
    "written",
    [
        *(
            "yesterday",
            "n.d.",
            "0000-00-00",
            "2011-13-01",
            "2011-02-30",
            "31.04.2011",
            "15.03.11",
            "3/4/11",
            "32/01/2011",
        ),
        *(
            "Monday",
            "15 Foo 2011",
            "12 hours ago",
            "0",
            "99999999",
            "12345678901",
            "1",
            "-",
            "2011-03-15x",
            "13/13/2011",
        ),
    ],
)
def test_what_is_no_date_stays_and_is_named(written: str) -> None:
    assert iso_date(written) == (written, NO_DATE)


@given(
    st.datetimes(datetime.datetime(1601, 1, 1), datetime.datetime(2099, 12, 31)).map(
        lambda one: one.replace(microsecond=0)
    )
)
def test_every_day_is_read_in_every_form(moment: datetime.datetime) -> None:
    day = moment.date().isoformat()
    for form in ("%d.%m.%Y", "%d %B %Y", "%B %d, %Y", "%Y/%m/%d", "%d-%b-%Y", "%A, %d %B %Y", "%Y%m%d", "%b %d, %Y"):
        assert iso_date(moment.strftime(form)) == (day, "")
    assert iso_date(moment.strftime("%d.%m.%Y %H:%M:%S")) == (moment.isoformat(), "")
    assert iso_date(moment.strftime("%B %d, %Y %I:%M:%S %p")) == (moment.isoformat(), "")
    assert iso_date(moment.strftime("%Y%m%d%H%M%S")) == (moment.isoformat(), "")
    aware = moment.replace(tzinfo=datetime.UTC)
    assert iso_date(format_datetime(aware)) == (aware.isoformat(), "")
    slashed = iso_date(moment.strftime("%d/%m/%Y"))
    assert slashed == ((day, "") if moment.day > 12 or moment.day == moment.month else (slashed[0], TWO_DATES))


@given(st.one_of(st.text(max_size=40), st.from_regex(r"[0-9A-Za-z ,./:+-]{0,30}", fullmatch=True)))
def test_any_text_is_a_date_or_stays(written: str) -> None:
    date, note = iso_date(written)
    assert note in ("", TWO_DATES, NO_DATE)
    assert date == written or iso_date(date) == (date, "")
