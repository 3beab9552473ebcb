"""Chongqing-like roads built from published dimensions, for places of which there is no survey.

Each module draws one map and has a function ``make``. A map is drawn as engineers draw it: axes
of straights and arcs with a profile of grades (:mod:`~v2x.world.mountain.alignment`), cut at
nodes and structures and joined to a network (:mod:`~v2x.world.mountain.draft`), laid into a
natural surface with cuttings and embankments (:mod:`~v2x.world.mountain.earthworks`).
"""
