"""Both engines answer alike."""

from handbill.store.records import Records
from handbill.store.records.tables import agencies


def test_put_answers_the_number_of_the_row(records: Records) -> None:
    with records.write() as tx:
        first = tx.put(agencies, id="a", name="A", currency="USD", created_at=1)
        second = tx.put(agencies, id="b", name="B", currency="USD", created_at=1)
    assert 0 < first < second
