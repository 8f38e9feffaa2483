from __future__ import annotations

from math import cos, radians, sin

import numpy as np
import pytest

from ingest.camera.geometry import Homography
from ingest.camera.pose import Pose


@pytest.mark.parametrize(("height", "tilt", "focal"), [(8.0, 30.0, 640.0), (6.0, 20.0, 500.0), (12.0, 50.0, 900.0)])
def test_four_points_tell_where_the_camera_hangs(height: float, tilt: float, focal: float) -> None:
    angle = radians(tilt)

    def project(x: float, y: float, z: float) -> tuple[float, float]:
        drop = height - z
        depth, down = y * cos(angle) + drop * sin(angle), drop * cos(angle) - y * sin(angle)
        return 320 + focal * x / depth, 180 + focal * down / depth

    ground = [(-3.0, 8.0), (3.0, 8.0), (3.0, 20.0), (-3.0, 20.0)]
    pose = Pose(Homography([project(x, y, 0) for x, y in ground], ground), 640, 360)

    assert pytest.approx(height, rel=1e-3) == pose.height
    assert pytest.approx(focal, rel=1e-3) == pose.focal
    # A point above the road, which no homography knows.
    assert pytest.approx(project(1.0, 14.0, 2.5), abs=0.05) == tuple(pose.project(np.array([[1.0, 14.0, 2.5]]))[0])
