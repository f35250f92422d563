"""The busy-cell tests with each release of ipykernel that is supported, in a real JupyterLab."""

from __future__ import annotations

import pytest

from tests.browser import busy, busy_checks
from tests.matrix.environments import Kernel
from tests.support.lab import Lab

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("kind", busy.BUSY)
def test_by_webrtc_a_slider_reaches_the_model_within_50_ms_while_a_cell_runs(
    lab: Lab, kind: str, record_property: busy_checks.Record
) -> None:
    busy_checks.moves_pass_the_cell(lab, kind, busy.RUN, record_property)


def test_every_kind_of_control_is_applied_once_while_a_cell_runs_and_not_again_after_it(lab: Lab) -> None:
    busy_checks.every_kind_is_applied_once(lab)


def test_by_comm_the_controls_pass_the_cell_by_a_subshell_and_wait_for_it_where_there_is_none(
    lab: Lab, kernel: Kernel, record_property: busy_checks.Record
) -> None:
    if kernel.has_subshells:
        busy_checks.moves_pass_the_cell(lab, "sleep", busy_checks.BY_COMM, record_property)
    else:
        busy_checks.controls_wait_and_say_so(lab)
