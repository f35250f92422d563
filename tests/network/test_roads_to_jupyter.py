"""JupyterLab itself, over the roads that the picture must pass: these say whether it is the road that fails."""

from __future__ import annotations

import pytest

from tests.support.lab import Lab

pytestmark = [pytest.mark.browser, pytest.mark.needs_root]

IS_SECURE = "[window.isSecureContext, typeof VideoDecoder === 'function']"


@pytest.mark.usefixtures("every_road")
@pytest.mark.parametrize(("road", "is_secure"), [("far_lab", False), ("tunnelled_lab", True), ("hub_lab", True)])
def test_a_cell_runs_and_webcodecs_exist_only_where_the_context_is_secure(
    request: pytest.FixtureRequest, road: str, is_secure: bool
) -> None:
    lab: Lab = request.getfixturevalue(road)
    lab.open(["6 * 7"])
    lab.run(0)
    assert lab.text(0) == "42"
    assert lab.page.evaluate(IS_SECURE) == [is_secure, is_secure]
