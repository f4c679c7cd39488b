import base64

import pytest

from defimon.report._style import canvas, image


@pytest.mark.parametrize("name", ["$\\frac{x}$", "$x$", "a_b^c", "<script>alert(1)</script>"])
def test_a_name_is_drawn_as_it_stands_and_is_no_mathematics(name):
    with canvas(2.0) as (figure, axes):
        axes.plot([0, 1], [0, 1], label=name)
        axes.set_title(name)
        axes.legend()
        address = image(figure)
    drawn = base64.b64decode(address.split(",")[1]).decode()
    assert "<script" not in drawn
