"""Cells of tables name their columns, for narrow screens."""

from markupsafe import Markup

from handbill.pages.cells import titled


def test_each_cell_has_the_title_of_its_column() -> None:
    columns = [("Job", ""), ("Spend", "num"), ('"C&A"', ""), ("", "")]
    row = Markup(
        '<tr><th scope="row">&lt;td&gt;</th><td class="num">1</td><td></td><td>x</td></tr>'
    )
    assert titled(row, columns) == (
        '<tr><th scope="row">&lt;td&gt;</th><td class="num" data-title="Spend">1</td>'
        '<td data-title="&#34;C&amp;A&#34;"></td><td>x</td></tr>'
    )
    assert titled(row + row, columns) == titled(row, columns) * 2, "each row begins anew"
    whole = Markup('<tr><td colspan="4">None.</td></tr>')
    assert titled(whole, [("Job", "")]) == whole
